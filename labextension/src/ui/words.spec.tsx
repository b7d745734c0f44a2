// @vitest-environment jsdom

import { render, screen } from '@testing-library/react';
import React from 'react';
import { expect, it } from 'vitest';

import { ITrans } from '../translation';
import { EmptyList } from './SessionList';
import { Words } from './words';

/** A language in which everything is shouted. */
const LOUD: ITrans = {
  __: (text, ...values) => text.toUpperCase().replace(/%(\d)/g, (_, place) => String(values[Number(place) - 1])),
  _n: (one, many, count, ...values) => LOUD.__(count === 1 ? one : many, count, ...values)
};

it('components speak the language of their host, and their own where it has none', () => {
  const { unmount } = render(
    <Words.Provider value={LOUD}>
      <EmptyList />
    </Words.Provider>
  );
  expect(screen.getByTestId('jido-empty').textContent).toContain('NO SESSIONS YET');
  unmount();

  render(<EmptyList />);
  expect(screen.getByTestId('jido-empty').textContent).toContain('No sessions yet');
});
