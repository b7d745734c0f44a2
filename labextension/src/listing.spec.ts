import { expect, it } from 'vitest';

import { summary } from '../test/samples';
import { arranged } from './listing';

const ids = (query: string) => arranged(SESSIONS, query).map(({ id }) => id);

const SESSIONS = [
  summary({ id: 'a', title: 'Gradient', preview: 'Clip at 1.0', tags: ['ml'] }),
  summary({ id: 'b', title: 'Methods', preview: 'Draft', tags: [] }),
  summary({ id: 'c', title: 'Plots', preview: 'Gradient of colours', tags: ['style'], pinned: true })
];

it('puts pinned sessions first and keeps the given order otherwise', () => {
  expect(ids('')).toEqual(['c', 'a', 'b']);
});

it.each([
  ['methods', ['b']],
  ['CLIP', ['a']],
  ['style', ['c']],
  ['gradient', ['c', 'a']],
  ['gradient ml', ['a']],
  ['nothing like it', []]
])('finds %j in title, preview or tags', (query, expected) => {
  expect(ids(query)).toEqual(expected);
});
