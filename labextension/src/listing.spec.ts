import { expect, it } from 'vitest';

import { summary } from '../test/samples';
import { arranged, marked, queryOf, refreshed } from './listing';

const ids = (text: string) => arranged(SESSIONS, { text, filter: 'all' }).map(({ id }) => id);

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

it('leaves archived sessions out until they are asked for', () => {
  const sessions = [summary({ id: 'a' }), summary({ id: 'old', archived: true })];
  const found = (text: string, filter: 'all' | 'archived') => arranged(sessions, { text, filter }).map(({ id }) => id);

  expect(found('', 'all')).toEqual(['a']);
  expect(found('', 'archived')).toEqual(['old']);
  expect(found('outliers', 'all')).toEqual(['a', 'old']);
});

it.each([
  ['overf', 'all', 'overf*'],
  ['overf ', 'all', 'overf'],
  ['"test set', 'all', '"test set'],
  ['tag:wo', 'all', 'tag:wo'],
  ['überra', 'pinned', 'überra* is:pinned'],
  ['', 'notebook', 'notebook:"/w/a b.ipynb"'],
  ['', 'trashed', 'is:trashed']
] as const)('asks the store for %j among %s as %j', (text, filter, query) => {
  expect(queryOf({ text, filter }, '/w/a b.ipynb')).toBe(query);
});

it('keeps what stood below a page that was loaded anew, once', () => {
  const hit = (id: string) => ({ session: summary({ id }), snippet: '' });
  const shown = ['a', 'b', 'c', 'd'].map(hit);

  const now = refreshed(shown, ['d', 'a'].map(hit), false);

  expect(now.map(({ session }) => session.id)).toEqual(['d', 'a', 'c']);
});

it('marks the words of a search, and signs that an expression would act on stay text', () => {
  const hits = marked('Überfit (a+b) overfitting', 'overfit* (a+b) tag:x "fit"').filter(piece => piece.isHit);

  expect(hits.map(({ text }) => text)).toEqual(['a', 'b', 'overfit']);
});
