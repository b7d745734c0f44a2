import { expect, it, vi } from 'vitest';

import { Lazy } from './lazy';

it('loads nothing until it is asked, and then once', async () => {
  const load = vi.fn(async () => 'part');
  const lazy = new Lazy(load);
  const before = load.mock.calls.length;

  lazy.ask();
  lazy.ask();
  const meanwhile = lazy.state.value;
  await Promise.resolve();
  lazy.ask();

  expect([before, meanwhile]).toEqual([0, { kind: 'coming' }]);
  expect(lazy.state.value).toEqual({ kind: 'here', part: 'part' });
  expect(load).toHaveBeenCalledTimes(1);
});

it('tries again what failed, but not by itself', async () => {
  const load = vi.fn(async () => 'part').mockRejectedValueOnce(new Error('Loading chunk 108 failed.'));
  const lazy = new Lazy(load);
  lazy.ask();
  await vi.waitFor(() => expect(lazy.state.value).toEqual({ kind: 'failed' }));
  const asked = load.mock.calls.length;

  lazy.ask();
  await vi.waitFor(() => expect(lazy.state.value.kind).toBe('here'));

  expect(asked).toBe(1);
});
