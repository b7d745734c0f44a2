import { Group, GroupName } from './groups';
import { Filter, Find, refreshed } from './listing';
import { Notices } from './notices';
import { IObservable, Observable } from './observable';
import { Messages, PagedMessages } from './paged';
import { legible, legibleHit } from './phrases';
import { problemOf } from './problem';
import { Requests } from './requests';
import { ITrans, PLAIN } from './translation';
import { Briefing, FoundPage, Head, Hit, MessagePage, Problem, Summary } from './types';

export type Changes = { title?: string; tags?: string[]; pinned?: boolean; archived?: boolean };

/** How the sessions are reached; one per host. Failures are thrown as `ProblemError`. */
export interface ISessionsTransport {
  readonly filters: readonly Filter[];
  /** A page of the list, or null when nothing changed since `known`, the tag of a page. */
  find(wanted: Find, cursor: string | null, limit: number, known?: string | null): Promise<FoundPage | null>;
  show(id: string): Promise<Head>;
  messages(id: string, revision: string, before: number | null, limit: number): Promise<MessagePage>;
  /** Move to the trash. */
  remove(id: string): Promise<void>;
  /** Open again; null when the host shows the briefing itself. */
  resume(id: string, how: Resume): Promise<Briefing | null>;
  /** What a host may lack: changing sessions, taking them out of the trash, going on with a copy. */
  edit?(id: string, changes: Changes): Promise<void>;
  restore?(id: string): Promise<void>;
  fork?(id: string, message: string | null): Promise<Briefing | null>;
}

/** How a session is opened again; what a host cannot do it leaves out. */
export type Resume = {
  /** Take it from the process that has it open. */
  takeOver?: boolean;
  /** Seal it anew when it is not verified. */
  trust?: boolean;
  /** In a notebook made for it, not in the one in front. */
  inNew?: boolean;
};

/** Lost keeps the reason; the last known list stays on show. */
export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'lost'; problem: Problem };

export type Preview = {
  id: string;
  /** Null until it is loaded. */
  head: Head | null;
  messages: Messages;
};

export type SessionsState = {
  /** Null until the first answer. */
  hits: readonly Hit[] | null;
  /** More of them are stored than were asked for yet. */
  hasMore: boolean;
  /** How many are stored, whatever is shown of them. */
  count: number;
  find: Find;
  /** What is shown is not what was asked for yet; the first search of a large store takes a while. */
  isSearching: boolean;
  /** Why the list cannot be narrowed down as asked. */
  refusal: string | null;
  connection: Connection;
  preview: Preview | null;
  /** No resume is asked for before this time [ms, clock of the model]. */
  resumeBlockedUntil_ms: number;
};

/** The sessions of a store as a view needs them, whatever the host. */
export interface ISessionsModel {
  readonly state: IObservable<SessionsState>;
  /** Ids of sessions with a request under way. */
  readonly busy: IObservable<ReadonlySet<string>>;
  readonly filters: readonly Filter[];
  readonly canEdit: boolean;
  readonly canFork: boolean;
  refresh(): Promise<void>;
  /** Somebody looks at the list: bring it up to date now and at each change; returns what ends that. */
  watch(): () => void;
  more(): Promise<void>;
  search(find: Partial<Find>): Promise<void>;
  openPreview(id: string): Promise<void>;
  closePreview(): void;
  /** A message of the preview came into view. */
  need(index: number): void;
  resume(id: string, how?: Resume): Promise<void>;
  remove(id: string): Promise<void>;
  restore(id: string): Promise<void>;
  edit(id: string, changes: Changes): Promise<boolean>;
  fork(id: string, message?: string | null): Promise<void>;
}

/** What the sidebar shows and does beyond that: it has the whole store and the page's notebooks, but no kernel. */
export interface ISidebarModel extends ISessionsModel {
  /** All sessions in their groups, each in one of them; shown while nothing is searched for. */
  readonly groups: IObservable<readonly Group[]>;
  /** Ids of the chosen sessions; null: none is being chosen. */
  readonly selection: IObservable<ReadonlySet<string> | null>;
  /** The path of the notebook in front, as the contents service names it. */
  readonly notebook: IObservable<string | null>;
  /** Whether the notebook in front has it open. */
  isInFront(session: Summary): boolean;
  toggleGroup(name: GroupName): void;
  moreOf(name: GroupName): Promise<void>;
  /** Begin to choose sessions, or end it. */
  select(isOn: boolean): void;
  toggleSelected(id: string): void;
  /** Move to the trash; one undo for all. */
  removeAll(ids: Iterable<string>): Promise<void>;
  archiveAll(ids: Iterable<string>): Promise<void>;
  tagAll(ids: Iterable<string>, tags: readonly string[]): Promise<void>;
  /** The formats that the server writes. */
  formats(): Promise<readonly string[]>;
  /** Download one file for each session. */
  export(ids: string | Iterable<string>, format: string): Promise<void>;
  /** Bring in the sessions of files; each that is refused is told with its reason. */
  import(files: Iterable<File>): Promise<void>;
}

const PAGE = 50;
const MOST_REFRESHED = 200; // rows; a longer list is brought up to date at its start, where what changed stands

export class SessionsModel implements ISessionsModel {
  /**
   * @param now the clock [ms]; the same one is given to the views.
   */
  constructor(
    private readonly _transport: ISessionsTransport,
    protected readonly _notices: Notices,
    protected readonly _now: () => number,
    protected readonly _trans: ITrans = PLAIN
  ) {
    this._requests = new Requests(_notices, _trans);
    this.busy = this._requests.busy;
  }

  readonly busy: IObservable<ReadonlySet<string>>;

  readonly state = new Observable<SessionsState>({
    hits: null,
    hasMore: false,
    count: 0,
    find: { text: '', filter: 'all' },
    isSearching: false,
    refusal: null,
    connection: { kind: 'connecting' },
    preview: null,
    resumeBlockedUntil_ms: 0
  });

  get filters(): readonly Filter[] {
    return this._transport.filters;
  }

  get canEdit(): boolean {
    return this._transport.edit !== undefined;
  }

  get canFork(): boolean {
    return this._transport.fork !== undefined;
  }

  /** Bring what is shown up to date. */
  async refresh(): Promise<void> {
    const { find, hits } = this.state.value;
    const limit = Math.min(Math.max(PAGE, hits?.length ?? 0), MOST_REFRESHED);
    await this._load(find, null, limit, this._etag, page => {
      const shown = this.state.value.hits ?? [];
      const isWhole = shown.length <= page.hits.length || page.next_cursor === null;
      if (isWhole) {
        this._cursor = page.next_cursor;
      }
      return refreshed(shown, page.hits, isWhole);
    });
  }

  watch(): () => void {
    this._watchers += 1;
    void this.refresh();
    return () => {
      this._watchers -= 1;
    };
  }

  /** The store changed. */
  async changed(): Promise<void> {
    if (this._watchers > 0) {
      await this.refresh();
    }
  }

  async more(): Promise<void> {
    await this._loadNext();
  }

  async search(find: Partial<Find>): Promise<void> {
    const wanted = { ...this.state.value.find, ...find };
    this._patch({ find: wanted, isSearching: true });
    this._etag = null; // of another list
    await this._load(wanted, null, PAGE, null, page => {
      this._cursor = page.next_cursor;
      return page.hits;
    });
    if (this.state.value.find === wanted) {
      this._patch({ isSearching: false });
    }
  }

  /** The other side answered. */
  alive(): void {
    if (this.state.value.connection.kind !== 'live') {
      this._patch({ connection: { kind: 'live' } });
    }
  }

  /** The other side cannot be reached; what is known stays. */
  lost(problem: Problem): void {
    const { connection } = this.state.value;
    // A poll fails every second or two; an unchanged reason must not repaint the page.
    if (connection.kind !== 'lost' || connection.problem.detail !== problem.detail) {
      this._patch({ connection: { kind: 'lost', problem } });
    }
  }

  /** No resume will be let in for so long [s]. */
  limited(wait_s: number): void {
    this._patch({ resumeBlockedUntil_ms: this._now() + 1000 * wait_s });
  }

  async openPreview(id: string): Promise<void> {
    this._patch({ preview: { id, head: null, messages: [] } });
    try {
      const head = legible(await this._transport.show(id));
      const pages = new PagedMessages((before, limit) =>
        this._transport.messages(id, head.revision, before, limit)
      );
      await pages.refresh();
      // The user may have gone back or on to another session meanwhile.
      if (this.state.value.preview?.id === id) {
        const show = () => this._patch({ preview: { id, head, messages: pages.state.value } });
        this._pages = pages;
        pages.state.subscribe(() => this._pages === pages && show());
        show();
      }
    } catch (reason) {
      this._notices.problem('preview', problemOf(reason, this._trans));
      if (this.state.value.preview?.id === id) {
        this.closePreview();
      }
    }
  }

  closePreview(): void {
    this._pages = null;
    this._patch({ preview: null });
  }

  need(index: number): void {
    this._pages
      ?.need(index)
      .catch((reason: unknown) => this._notices.problem('preview', problemOf(reason, this._trans)));
  }

  async resume(id: string, how: Resume = {}): Promise<void> {
    // Refused attempts count against the limit too, so asking early would only prolong the wait.
    if (this._now() < this.state.value.resumeBlockedUntil_ms) {
      return;
    }
    await this._open(id, () => this._transport.resume(id, how));
  }

  async fork(id: string, message: string | null = null): Promise<void> {
    await this._open(id, () => this._transport.fork!(id, message));
  }

  async remove(id: string): Promise<void> {
    await this._requests.run('delete', () => this._transport.remove(id), { key: id }).then(isGone => {
      if (isGone) {
        this._tellRemoved(id);
        this._drop(id);
      }
    });
  }

  async restore(id: string): Promise<void> {
    const isBack = await this._requests.run('delete', () => this._transport.restore!(id), { key: id });
    if (isBack) {
      await this.refresh();
    }
  }

  edit(id: string, changes: Changes): Promise<boolean> {
    return this._requests.run(
      'edit',
      async () => {
        await this._transport.edit!(id, changes);
        await this.refresh();
      },
      { key: id }
    );
  }

  protected async _open(id: string, act: () => Promise<Briefing | null>): Promise<void> {
    let briefing: Briefing | null = null;
    await this._requests.run(
      'resume',
      async () => {
        briefing = await act();
        this.closePreview();
      },
      { key: id, explain: problem => this._explainRefusal(id, problem) }
    );
    if (briefing !== null) {
      this._notices.briefing(briefing);
    }
  }

  /** Tell of a refused resume what can be done about it; true when that was told. */
  protected _explainRefusal(id: string, problem: Problem): boolean {
    if (problem.code === 'rate_limited') {
      this.limited(problem.retry_after_s ?? 0);
    }
    if (problem.code !== 'session_open' || !this.canFork) {
      return false;
    }
    this._notices.problem('resume', problem, [
      { label: this._trans.__('Take over'), act: () => void this.resume(id, { takeOver: true }) },
      { label: this._trans.__('Fork'), act: () => void this.fork(id) },
      { label: this._trans.__('Read only'), act: () => void this.openPreview(id) }
    ]);
    return true;
  }

  private _tellRemoved(id: string): void {
    if (this._transport.restore === undefined) {
      return;
    }
    const hit = this.state.value.hits?.find(({ session }) => session.id === id);
    this._notices.information('delete', this._trans.__('Moved to the trash'), [hit?.session.title ?? id], [
      { label: this._trans.__('Undo'), act: () => void this.restore(id) }
    ]);
  }

  protected _drop(id: string): void {
    const { hits, count, preview } = this.state.value;
    if (preview?.id === id) {
      this.closePreview();
    }
    const left = hits?.filter(hit => hit.session.id !== id) ?? null;
    const gone = (hits?.length ?? 0) - (left?.length ?? 0); // it may have been told before
    this._patch({ hits: left, count: count - gone });
  }

  /** Load a page and show what `join` makes of it; an answer that is no longer wanted is dropped. */
  private async _load(
    find: Find,
    cursor: string | null,
    limit: number,
    known: string | null,
    join: (page: FoundPage) => readonly Hit[]
  ): Promise<void> {
    try {
      const page = await this._transport.find(find, cursor, limit, known);
      this.alive();
      const isWanted = find.text === this.state.value.find.text && find.filter === this.state.value.find.filter;
      if (page !== null && isWanted) {
        const hits = join({ ...page, hits: page.hits.map(legibleHit) });
        if (cursor === null) {
          this._etag = page.etag ?? null;
        }
        this._patch({ hits, count: page.count, hasMore: this._cursor !== null, refusal: null });
      }
    } catch (reason) {
      const problem = problemOf(reason, this._trans);
      if (problem.code === 'invalid_field' || problem.code === 'rate_limited') {
        this._patch({ refusal: problem.detail });
      } else {
        this.lost(problem);
      }
    }
  }

  /** Load the next page; tells whether one came. */
  protected async _loadNext(): Promise<boolean> {
    const { find, hits } = this.state.value;
    const cursor = this._cursor;
    if (cursor === null || hits === null || this._loadingMore) {
      return false;
    }
    this._loadingMore = true;
    await this._load(find, cursor, PAGE, null, page => {
      this._cursor = page.next_cursor;
      return refreshed([], [...hits, ...page.hits], true);
    });
    this._loadingMore = false;
    return this._cursor !== cursor;
  }

  protected _patch(part: Partial<SessionsState>): void {
    this.state.value = { ...this.state.value, ...part };
  }

  protected readonly _requests: Requests;
  private _cursor: string | null = null;
  private _etag: string | null = null;
  private _loadingMore = false;
  private _watchers = 0;
  private _pages: PagedMessages | null = null;
}
