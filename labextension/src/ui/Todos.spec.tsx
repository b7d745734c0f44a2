// @vitest-environment jsdom

import { render, screen } from '@testing-library/react';
import React from 'react';
import { expect, it } from 'vitest';

import { Todos } from './Todos';

it('shows what would disguise a todo', () => {
  render(<Todos todos={[{ text: 'keep\u202e', status: 'open' }]} disabled={false} onChange={() => {}} />);

  expect(screen.getByTestId('jido-todos').textContent).toContain('keep\ufffd');
});
