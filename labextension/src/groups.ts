/** Sessions in groups: each stands in the first one that it belongs to. */

import { refreshed } from './listing';
import { IObservable, Observable } from './observable';
import { legibleHit } from './phrases';
import { FoundPage, Hit, Summary } from './types';

/** In the order in which they stand. */
const GROUPS = ['notebook', 'open', 'pinned', 'recent', 'archived', 'trashed'] as const;

export type GroupName = (typeof GROUPS)[number];

/** The groups that are asked for by themselves; "recent" is what the list of all sessions leaves. */
type AskedGroup = Exclude<GroupName, 'recent'>;

export type Group = {
  name: GroupName;
  hits: readonly Hit[];
  /** More of them are stored than were loaded yet. */
  hasMore: boolean;
  /** How many are stored; null when it is only known that there are more. */
  count: number | null;
  isOpen: boolean;
};

type Loaded = { hits: readonly Hit[]; cursor: string | null; etag: string | null };

type LoadGroup = (
  name: AskedGroup,
  cursor: string | null,
  limit: number,
  known: string | null
) => Promise<FoundPage | null>;

/** The newest sessions, whatever group they are in. */
export type Recent = { hits: readonly Hit[]; hasMore: boolean; total: number };

const PAGE = 50;
const NOTHING: Loaded = { hits: [], cursor: null, etag: null };
const CLOSED_AT_FIRST: readonly GroupName[] = ['archived', 'trashed'];
/** What stands above the newest sessions: painted with them, so that nothing jumps. */
const ABOVE: readonly AskedGroup[] = ['notebook', 'open', 'pinned'];
const BELOW: readonly AskedGroup[] = ['archived', 'trashed'];

export class Groups {
  /**
   * @param _isHere whether a session belongs to the notebook in front.
   */
  constructor(
    private readonly _load: LoadGroup,
    private readonly _isHere: (session: Summary) => boolean
  ) {}

  get state(): IObservable<readonly Group[]> {
    return this._state;
  }

  /** Bring the groups up to date; the upper ones are shown with the newest sessions, the others when they come. */
  async refresh(recent: Promise<Recent>): Promise<void> {
    const above = Promise.all([recent, ...ABOVE.map(name => this._refresh(name))]);
    const below = BELOW.map(name => this._refresh(name));
    await Promise.all([above.then(([loaded]) => this.arrange(loaded)), ...below]);
    this.arrange(this._recent);
  }

  /** Load one group anew, from its start. */
  async reload(name: AskedGroup): Promise<void> {
    this._loaded[name] = NOTHING;
    await this._refresh(name);
    this.arrange(this._recent);
  }

  async more(name: AskedGroup): Promise<void> {
    const { hits, cursor, etag } = this._loaded[name];
    if (cursor === null || this._asked.has(name)) {
      return;
    }
    this._asked.add(name);
    try {
      const page = await this._load(name, cursor, PAGE, null);
      if (page !== null) {
        this._loaded[name] = { hits: refreshed([], [...hits, ...page.hits.map(legibleHit)], true), cursor: page.next_cursor, etag };
        this.arrange(this._recent);
      }
    } finally {
      this._asked.delete(name);
    }
  }

  toggle(name: GroupName): void {
    this._isClosed[name] = !this._isClosed[name];
    this.arrange(this._recent);
  }

  /** A session is in the trash now; where that was loaded since, it stays. */
  drop(id: string): void {
    const without = (hits: readonly Hit[]): Hit[] => hits.filter(({ session }) => session.id !== id);
    for (const name of [...ABOVE, 'archived'] as const) {
      this._loaded[name] = { ...this._loaded[name], hits: without(this._loaded[name].hits) };
    }
    this.arrange({ ...this._recent, hits: without(this._recent.hits) });
  }

  arrange(recent: Recent): void {
    this._recent = recent;
    const loaded = { ...this._loaded, recent: { hits: recent.hits, cursor: recent.hasMore ? '' : null, etag: null } };
    this._state.value = grouped(loaded, recent.total, this._isHere, name => !this._isClosed[name]);
  }

  private async _refresh(name: AskedGroup): Promise<void> {
    const { hits, etag } = this._loaded[name];
    const page = await this._load(name, null, Math.max(PAGE, Math.min(hits.length, 4 * PAGE)), etag);
    if (page !== null) {
      this._loaded[name] = { hits: page.hits.map(legibleHit), cursor: page.next_cursor, etag: page.etag ?? null };
    }
  }

  private readonly _state = new Observable<readonly Group[]>([]);
  private readonly _loaded: Record<AskedGroup, Loaded> = {
    notebook: NOTHING,
    open: NOTHING,
    pinned: NOTHING,
    archived: NOTHING,
    trashed: NOTHING
  };
  private readonly _isClosed: Partial<Record<GroupName, boolean>> = Object.fromEntries(
    CLOSED_AT_FIRST.map(name => [name, true])
  );
  private readonly _asked = new Set<GroupName>();
  private _recent: Recent = { hits: [], hasMore: false, total: 0 };
}

const BELONGS: Record<GroupName, (session: Summary, isHere: boolean) => boolean> = {
  notebook: (session, isHere) => isHere && !session.archived,
  open: session => session.state === 'open',
  pinned: session => session.pinned && !session.archived,
  recent: session => !session.archived,
  archived: () => true,
  trashed: () => true
};

/**
 * The groups of what was loaded.
 *
 * @param total how many sessions are stored outside the trash.
 */
export function grouped(
  loaded: Readonly<Record<GroupName, Pick<Loaded, 'hits' | 'cursor'>>>,
  total: number,
  isHere: (session: Summary) => boolean,
  isOpen: (name: GroupName) => boolean
): Group[] {
  const taken = new Set<string>();
  const groups = GROUPS.map(name => {
    const { hits, cursor } = loaded[name];
    const mine = hits.filter(({ session }) => !taken.has(session.id) && BELONGS[name](session, isHere(session)));
    mine.forEach(({ session }) => taken.add(session.id));
    return { name, hits: mine, hasMore: cursor !== null, count: cursor === null ? mine.length : null, isOpen: isOpen(name) };
  });
  return groups.map(group => (group.hasMore && group.name === 'recent' ? { ...group, count: rest(groups, total) } : group));
}

/** How many sessions stand in no other group, as far as it is known how many those have. */
function rest(groups: readonly Group[], total: number): number | null {
  const others = groups.filter(({ name }) => name !== 'recent' && name !== 'trashed');
  return others.reduce<number | null>(
    (left, { count }) => (left === null || count === null ? null : Math.max(0, left - count)),
    total
  );
}
