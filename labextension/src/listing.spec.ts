import { expect, it } from 'vitest';

import { summary } from '../test/samples';
import { cropped, marked, queryOf, refreshed } from './listing';

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

it.each([
  ['What now? The gap between both is large and says overfitting. Try fewer.', 'overf', '…both is large and says overfitting. Try fewer.'],
  ['Short before overfitting', 'overf', 'Short before overfitting'],
  ['Nothing of it stands here, however long one looks for it', 'overf', 'Nothing of it stands here, however long one looks for it'],
  ['x'.repeat(60) + 'overfit', 'xx', 'x'.repeat(60) + 'overfit']
])('shows what was found near the beginning: %j', (text, query, shown) => {
  expect(cropped(text, query)).toBe(shown);
});
