// @vitest-environment jsdom

import { render, screen } from '@testing-library/react';
import React from 'react';
import { expect, it } from 'vitest';

import { ConsentCard } from './ConsentCard';

const ODD = 'rm\u202e';

it('shows what would disguise what is asked for', () => {
  render(<ConsentCard consent={{ id: 'c', tool: ODD, summary: ODD, code: ODD }} onSettle={() => {}} />);

  const shown = screen.getByTestId('jido-consent').outerHTML;

  expect(shown).toContain('rm\ufffd');
  expect(shown).not.toContain('\u202e');
});
