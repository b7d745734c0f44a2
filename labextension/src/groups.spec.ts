import { describe, expect, it } from 'vitest';

import { summary } from '../test/samples';
import { GroupName, grouped, Groups } from './groups';
import { Summary } from './types';

const NONE = { hits: [], cursor: null };

function groupsOf(loaded: Partial<Record<GroupName, Summary[]>>, { total = 100, more = [] as GroupName[] } = {}) {
  const given = Object.fromEntries(
    (['notebook', 'open', 'pinned', 'recent', 'archived', 'trashed'] as const).map(name => [
      name,
      {
        ...NONE,
        hits: (loaded[name] ?? []).map(session => ({ session, snippet: '' })),
        cursor: more.includes(name) ? '1' : null
      }
    ])
  ) as unknown as Parameters<typeof grouped>[0];
  const found = grouped(given, total, session => session.notebook === 'here', () => true);
  return {
    ids: Object.fromEntries(found.map(({ name, hits }) => [name, hits.map(({ session }) => session.id).join(' ')])),
    counts: Object.fromEntries(found.map(({ name, count }) => [name, count]))
  };
}

const here = summary({ id: 'here', notebook: 'here', pinned: true });
const opened = summary({ id: 'open', state: 'open' });
const pinned = summary({ id: 'pin', pinned: true });
const away = summary({ id: 'away', archived: true });
const both = summary({ id: 'both', archived: true, pinned: true, notebook: 'here' });
const other = summary({ id: 'other' });

describe('grouped', () => {
  it('puts each session into the first group that it belongs to', () => {
    const { ids } = groupsOf({
      notebook: [here, both],
      open: [opened],
      pinned: [here, pinned, both],
      recent: [here, opened, pinned, away, other, both],
      archived: [away, both]
    });

    expect(ids).toEqual({ notebook: 'here', open: 'open', pinned: 'pin', recent: 'other', archived: 'away both', trashed: '' });
  });

  it('leaves out of the notebook’s group what only looks like it', () => {
    const { ids } = groupsOf({ notebook: [summary({ id: 'x', notebook: 'somewhere' })], recent: [] });

    expect(ids.notebook).toBe('');
  });

  it('counts the newest as what the other groups leave of all', () => {
    const loaded = { open: [opened], archived: [away], recent: [opened, away, other] };

    expect(groupsOf(loaded, { more: ['recent'] }).counts.recent).toBe(98);
    expect(groupsOf(loaded, { more: ['recent', 'archived'] }).counts.recent).toBeNull();
    expect(groupsOf(loaded).counts.recent).toBe(1);
  });
});

describe('what the server tells late', () => {
  it('takes a session out of its group, but not out of the trash that was loaded since', async () => {
    const stored: Partial<Record<GroupName, Summary[]>> = { pinned: [pinned], trashed: [other] };
    const groups = new Groups(
      async name => ({
        hits: (stored[name] ?? []).map(session => ({ session, snippet: '' })),
        next_cursor: null,
        count: 1
      }),
      () => false
    );
    await groups.refresh(Promise.resolve({ hits: [], hasMore: false, total: 1 }));

    groups.drop('pin');
    groups.drop('other');

    const ids = groups.state.value.flatMap(({ name, hits }) => hits.map(({ session }) => `${name} ${session.id}`));
    expect(ids).toEqual(['trashed other']);
  });
});
