import { Groups, GroupName } from './groups';
import { Changes, ISessionsTransport, ISidebarModel, Resume, SessionsModel } from './model';
import { NoticeAction, Notices } from './notices';
import { IObservable, Observable } from './observable';
import { digits, ownerSentence } from './phrases';
import { isSamePlace } from './places';
import { localProblem, problemOf } from './problem';
import { EventStream, OpenStream, ServerEvent } from './stream';
import { ITrans, PLAIN } from './translation';
import { Brought, FoundPage, Problem, Summary } from './types';

/** How the whole store is reached. Failures are thrown as `ProblemError`. */
export interface ISidebarTransport extends ISessionsTransport {
  edit(id: string, changes: Changes): Promise<void>;
  restore(id: string): Promise<void>;
  /** Store a copy that goes its own way, up to a message. */
  copy(id: string, message: string | null): Promise<Summary>;
  formats(): Promise<readonly string[]>;
  export(id: string, format: string): Promise<{ name: string; content: Blob }>;
  import(file: File): Promise<Brought>;
  readonly events: OpenStream;
}

/** The page around the sidebar. */
export interface ISidebarPage {
  /** The path of the notebook in front, as the contents service names it. */
  readonly notebook: IObservable<string | null>;
  /** The server's root folder. */
  readonly root: string;
  /** Give the user a file. */
  download(name: string, content: Blob): void;
}

const NOTHING: FoundPage = { hits: [], next_cursor: null, count: 0 };
const AT_ONCE = 4; // requests
const MOST_TOLD = 6; // lines of one notice
const TOLD_MS = 30_000;
const SHORTEST_MS = 400; // between two refreshes, while a kernel writes all the time

export class SidebarModel extends SessionsModel implements ISidebarModel {
  /**
   * @param now the clock [ms]; the same one is given to the views.
   */
  constructor(
    private readonly _store: ISidebarTransport,
    notices: Notices,
    now: () => number,
    private readonly _page: ISidebarPage,
    trans: ITrans = PLAIN
  ) {
    super(_store, notices, now, trans);
    this._groups = new Groups(
      async (name, cursor, limit, known) =>
        name === 'notebook' && _page.notebook.value === null
          ? NOTHING
          : this._store.find({ text: '', filter: name }, cursor, limit, known),
      session => _page.notebook.value !== null && isSamePlace(session.notebook, _page.notebook.value, _page.root)
    );
    this.groups = this._groups.state;
    this.notebook = _page.notebook;
    _page.notebook.subscribe(() => void this._notebookChanged());
    this._stream = new EventStream(
      (after, signal) => _store.events(after, signal),
      event => this._receive(event),
      isLive => this._streams(isLive)
    );
  }

  readonly groups;
  readonly notebook;
  readonly selection = new Observable<ReadonlySet<string> | null>(null);
  /** The server tells of each change; while it does nobody needs to ask. */
  readonly isTold = new Observable(false);

  get canFork(): boolean {
    return true;
  }

  /** Be told of changes until `sleep`. */
  wake(): void {
    this._stream.start();
  }

  sleep(): void {
    this._stream.stop();
  }

  async refresh(): Promise<void> {
    this._refreshed_ms = this._now();
    const before = this.state.value.hits;
    const done = super.refresh();
    // The first time all is asked for at once; later the list says whether there is anything new.
    if (before !== null) {
      await done;
    }
    if (before === null || this.state.value.hits !== before) {
      await this._arrange(done);
    }
  }

  async search(find: Parameters<SessionsModel['search']>[0]): Promise<void> {
    const wasNarrowed = this._isNarrowed;
    await super.search(find);
    if (wasNarrowed) {
      await this._arrange(Promise.resolve());
    }
  }

  async more(): Promise<void> {
    const shown = (): number => this.groups.value.find(({ name }) => name === 'recent')?.hits.length ?? 0;
    const before = shown();
    // A page may hold nothing but sessions of other groups.
    while (shown() === before && (await this._loadNext()) && !this._isNarrowed) {
      this._groups.arrange(this._recent);
    }
  }

  async moreOf(name: GroupName): Promise<void> {
    await this._quietly(() => (name === 'recent' ? this.more() : this._groups.more(name)));
  }

  toggleGroup(name: GroupName): void {
    this._groups.toggle(name);
  }

  isInFront({ owner }: Summary): boolean {
    const path = this._page.notebook.value;
    return path !== null && isSamePlace(owner?.notebook, path, this._page.root);
  }

  select(isOn: boolean): void {
    this.selection.value = isOn ? new Set() : null;
  }

  toggleSelected(id: string): void {
    const chosen = new Set(this.selection.value);
    if (!chosen.delete(id)) {
      chosen.add(id);
    }
    this.selection.value = chosen;
  }

  async resume(id: string, how: Resume = {}): Promise<void> {
    const session = this._known(id);
    const isElsewhere = session?.state === 'open' && !this.isInFront(session);
    if (isElsewhere && !how.takeOver) {
      const problem = localProblem('session_open', this._trans.__('Open elsewhere'), ownerSentence(session.owner, this._trans));
      this._explainRefusal(id, problem);
      return;
    }
    await super.resume(id, this._page.notebook.value === null ? { ...how, inNew: true } : how);
  }

  /** Store a copy; which notebook goes on in it is for the user to say. */
  async fork(id: string, message: string | null = null): Promise<void> {
    let copy: Summary | null = null;
    await this._requests.run(
      'fork',
      async () => {
        copy = await this._store.copy(id, message);
        await this.refresh();
      },
      { key: id }
    );
    if (copy !== null) {
      this._tellCopied(copy);
    }
  }

  async remove(id: string): Promise<void> {
    await this.removeAll([id]);
  }

  async removeAll(ids: Iterable<string>): Promise<void> {
    const done = await this._each('delete', ids, id => this._store.remove(id), {
      title: count => this._trans._n('Moved to the trash', 'Moved %2 sessions to the trash', count, digits(count)),
      undo: id => this._store.restore(id)
    });
    done.forEach(id => this._drop(id));
    await this._settle(done);
  }

  async restore(id: string): Promise<void> {
    const done = await this._each('restore', [id], one => this._store.restore(one), {
      title: () => this._trans.__('Taken out of the trash'),
      undo: one => this._store.remove(one)
    });
    await this._settle(done);
  }

  async archiveAll(ids: Iterable<string>): Promise<void> {
    const done = await this._each('archive', ids, id => this._store.edit(id, { archived: true }), {
      title: count => this._trans._n('Archived', 'Archived %2 sessions', count, digits(count)),
      undo: id => this._store.edit(id, { archived: false })
    });
    await this._settle(done);
  }

  async tagAll(ids: Iterable<string>, tags: readonly string[]): Promise<void> {
    const before = new Map([...ids].map(id => [id, this._known(id)?.tags ?? []]));
    const done = await this._each(
      'tag',
      before.keys(),
      id => this._store.edit(id, { tags: [...new Set([...before.get(id)!, ...tags])] }),
      {
        title: count => this._trans._n('Tagged', 'Tagged %2 sessions', count, digits(count)),
        undo: id => this._store.edit(id, { tags: [...before.get(id)!] })
      }
    );
    await this._settle(done);
  }

  async edit(id: string, changes: Changes): Promise<boolean> {
    if (changes.archived === true) {
      await this.archiveAll([id]);
      return this._known(id)?.archived ?? true;
    }
    const isDone = await super.edit(id, changes);
    if (isDone && this.state.value.preview?.id === id) {
      await this._freshenPreview(id);
    }
    return isDone;
  }

  async formats(): Promise<readonly string[]> {
    this._formats ??= this._store.formats();
    try {
      return await this._formats;
    } catch (reason) {
      this._formats = undefined;
      this._notices.problem('export', problemOf(reason, this._trans));
      return [];
    }
  }

  async export(ids: string | Iterable<string>, format: string): Promise<void> {
    const wanted = typeof ids === 'string' ? [ids] : [...ids];
    await this._each(
      'export',
      wanted,
      async id => {
        const { name, content } = await this._store.export(id, format);
        this._page.download(name, content);
      },
      { title: count => this._trans._n('Exported', 'Exported %2 sessions', count, digits(count)) }
    );
  }

  async import(files: Iterable<File>): Promise<void> {
    const told: string[] = [];
    const refused: string[] = [];
    for (const file of files) {
      try {
        const { sessions, failed } = await this._store.import(file);
        told.push(...sessions.map(one => broughtSentence(one, this._trans)));
        refused.push(...failed.map(problem => `${file.name}: ${problem.detail}`));
      } catch (reason) {
        refused.push(`${file.name}: ${problemOf(reason, this._trans).detail}`);
      }
    }
    if (told.length > 0) {
      const title = this._trans._n('Imported %2 session', 'Imported %2 sessions', told.length, digits(told.length));
      this._tellDone(title, this._shortened(told));
      await this.refresh();
    }
    this._tellRefused(this._trans.__('Not imported'), refused);
  }

  protected _explainRefusal(id: string, problem: Problem): boolean {
    if (problem.code === 'not_python') {
      this._notices.problem('resume', problem, [
        { label: this._trans.__('New Python notebook'), act: () => void this.resume(id, { inNew: true }) },
        { label: this._trans.__('Read here'), act: () => void this.openPreview(id) }
      ]);
      return true;
    }
    return super._explainRefusal(id, problem);
  }

  private get _isNarrowed(): boolean {
    const { text, filter } = this.state.value.find;
    return text !== '' || filter !== 'all';
  }

  private get _recent() {
    const { hits, hasMore, count } = this.state.value;
    return { hits: hits ?? [], hasMore, total: count };
  }

  private async _arrange(listed: Promise<void>): Promise<void> {
    if (!this._isNarrowed) {
      await this._quietly(() => this._groups.refresh(listed.then(() => this._recent)));
    }
  }

  private async _notebookChanged(): Promise<void> {
    await this._quietly(() => this._groups.reload('notebook'));
  }

  /** What the list of all sessions tells anyway, when the server is away. */
  private async _quietly(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (reason) {
      this.lost(problemOf(reason, this._trans));
    }
  }

  private _tellCopied(copy: Summary): void {
    this._tellDone(this._trans.__('Copied'), [copy.title], [
      { label: this._trans.__('Resume'), act: () => void this.resume(copy.id) },
      { label: this._trans.__('Read'), act: () => void this.openPreview(copy.id) }
    ]);
  }

  private _receive({ kind, data }: ServerEvent): void {
    if (kind === 'limited') {
      const { operation, retry_after_s } = JSON.parse(data) as { operation: string; retry_after_s: number };
      if (operation === 'resume') {
        this.limited(retry_after_s);
      }
    } else if (kind === 'trashed') {
      this._drop((JSON.parse(data) as { id: string }).id);
      this._refreshSoon();
    } else if (kind !== 'ready') {
      this._refreshSoon();
    }
  }

  /** At once, or when the last refresh is old enough: a kernel that streams an answer writes all the time. */
  private _refreshSoon(): void {
    if (this._refreshing === undefined) {
      const wait_ms = Math.max(0, this._refreshed_ms + SHORTEST_MS - this._now());
      this._refreshing = setTimeout(() => {
        this._refreshing = undefined;
        void this.refresh();
      }, Math.min(wait_ms, SHORTEST_MS));
    }
  }

  private _streams(isLive: boolean): void {
    this.isTold.value = isLive;
    this._refreshSoon(); // what happened before it began, or why it ended
  }

  /** Do the same with some sessions, and tell once what came of it. */
  private async _each(
    topic: string,
    ids: Iterable<string>,
    act: (id: string) => Promise<void>,
    told: { title: (count: number) => string; undo?: (id: string) => Promise<void> }
  ): Promise<string[]> {
    const wanted = [...ids];
    const titles = new Map(wanted.map(id => [id, this._known(id)?.title ?? id]));
    const done: string[] = [];
    const failed: string[] = [];
    const one = async (id: string): Promise<void> => {
      const isDone = await this._requests.run(topic, () => act(id), {
        key: id,
        explain: problem => failed.push(`${titles.get(id)}: ${problem.detail}`) > 0
      });
      if (isDone) {
        done.push(id);
      }
    };
    const left = [...wanted];
    const worker = async (): Promise<void> => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) {
        await one(id);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (done.length > 0) {
      const { undo } = told;
      const actions = undo && [{ label: this._trans.__('Undo'), act: () => void this._undo(done, undo) }];
      this._tellDone(told.title(done.length), this._shortened(done.map(id => titles.get(id)!)), actions);
    }
    this._tellRefused(this._trans.__('Not possible'), failed);
    return done;
  }

  private async _undo(ids: readonly string[], undo: (id: string) => Promise<void>): Promise<void> {
    const failed: string[] = [];
    for (const id of ids) {
      await undo(id).catch((reason: unknown) => void failed.push(problemOf(reason, this._trans).detail));
    }
    this._tellRefused(this._trans.__('Not undone'), failed);
    await this.refresh();
  }

  private async _settle(done: readonly string[]): Promise<void> {
    if (done.length > 0) {
      this.selection.value = this.selection.value && new Set();
      await this.refresh();
    }
  }

  /** What was done last, with its undo; it goes by itself, as the groups show the same. */
  private _tellDone(title: string, lines: readonly string[], actions?: readonly NoticeAction[]): void {
    clearTimeout(this._telling);
    this._notices.information('done', title, lines, actions);
    this._telling = setTimeout(() => this._notices.dismiss('done'), TOLD_MS);
  }

  private _tellRefused(title: string, reasons: readonly string[]): void {
    if (reasons.length > 0) {
      this._notices.problem('refused', localProblem('refused', title, this._shortened(reasons).join('\n')));
    } else {
      this._notices.dismiss('refused');
    }
  }

  private _shortened(lines: readonly string[]): string[] {
    const more = lines.length - MOST_TOLD;
    return more <= 0 ? [...lines] : [...lines.slice(0, MOST_TOLD), this._trans.__('and %1 more', digits(more))];
  }

  protected _drop(id: string): void {
    // The server may tell of it when the trash, which holds it, is on show already.
    if (this.state.value.find.filter !== 'trashed') {
      super._drop(id);
    }
    this._groups.drop(id);
  }

  /** What is known of a session from any list. */
  private _known(id: string): Summary | undefined {
    const { hits, preview } = this.state.value;
    const listed = [...(hits ?? []), ...this.groups.value.flatMap(group => group.hits)];
    return listed.find(({ session }) => session.id === id)?.session ?? (preview?.id === id ? preview.head ?? undefined : undefined);
  }

  private async _freshenPreview(id: string): Promise<void> {
    await this._quietly(async () => {
      const head = await this._store.show(id);
      const { preview } = this.state.value;
      if (preview?.id === id) {
        this._patch({ preview: { ...preview, head } });
      }
    });
  }

  private readonly _groups: Groups;
  private readonly _stream: EventStream;
  private _formats: Promise<readonly string[]> | undefined;
  private _refreshing: ReturnType<typeof setTimeout> | undefined;
  private _telling: ReturnType<typeof setTimeout> | undefined;
  private _refreshed_ms = 0;
}

function broughtSentence({ title, is_new, is_trashed }: Brought['sessions'][number], trans: ITrans): string {
  if (is_new) {
    return title;
  }
  return is_trashed
    ? trans.__('%1: it is in the trash already; restore it there', title)
    : trans.__('%1: it was here already', title);
}
