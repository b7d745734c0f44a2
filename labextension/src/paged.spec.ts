import { expect, it } from 'vitest';

import { pageOf } from '../test/fakes';
import { message } from '../test/samples';
import { PAGE, PagedMessages } from './paged';
import { Message } from './types';

const many = (count: number, start = 0): Message[] =>
  Array.from({ length: count }, (_, number) => message({ id: `m${start + number}` }));

function setUp(said: Message[]) {
  const store = { said, asked: [] as string[] };
  const pages = new PagedMessages(async (before, limit) => {
    store.asked.push(`${before} ${limit}`);
    return pageOf(store.said, before, limit);
  });
  return { store, pages, ids: () => pages.state.value.map(found => found?.id ?? null) };
}

it('asks once for a page, however many messages of it come into view', async () => {
  const { store, pages, ids } = setUp(many(3 * PAGE));
  await pages.refresh();

  await Promise.all([pages.need(5), pages.need(6), pages.need(7)]);
  await pages.need(5);

  expect(store.asked).toEqual([`null ${PAGE}`, `${PAGE} ${PAGE}`]);
  expect(ids().indexOf(null)).toBe(PAGE);
  expect(ids().lastIndexOf(null)).toBe(2 * PAGE - 1);
});

it('keeps earlier pages when more was said', async () => {
  const { store, pages, ids } = setUp(many(2 * PAGE));
  await pages.refresh();
  await pages.need(0);
  store.said = many(2 * PAGE + 2);

  await pages.refresh();

  expect(ids()).toEqual(store.said.map(({ id }) => id));
});

it('forgets what a rewind took back', async () => {
  const { store, pages, ids } = setUp(many(6));
  await pages.refresh();
  store.said = [...many(2), ...many(3, 100)];

  await pages.refresh();

  expect(ids()).toEqual(['m0', 'm1', 'm100', 'm101', 'm102']);
});

it('forgets everything when the conversation began anew', async () => {
  const { store, pages, ids } = setUp(many(3 * PAGE));
  await pages.refresh();
  store.said = [];

  await pages.refresh();

  expect(ids()).toEqual([]);
});
