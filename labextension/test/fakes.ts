import { Hello, IChatTransport } from '../src/chat';
import { Filter, Find } from '../src/listing';
import { ISessionsTransport, Resume } from '../src/model';
import { Observable } from '../src/observable';
import { ISidebarPage, ISidebarTransport } from '../src/sidebarmodel';
import { Briefing, Brought, FoundPage, Head, Message, MessagePage, Summary, Todo } from '../src/types';
import { head, message, summary } from './samples';

/** A store in memory; tests replace single methods to make them fail. */
export class FakeSessions implements ISessionsTransport {
  constructor(
    public stored: Summary[] = [summary()],
    public said: Message[] = [message()]
  ) {}

  readonly filters: readonly Filter[] = ['all', 'open', 'pinned', 'archived'];
  resumed: string[] = [];
  asked: string[] = [];

  /** Pages as a store gives them: the cursor is the number of rows before. */
  find = async (wanted: Find, cursor: string | null, limit: number): Promise<FoundPage | null> => {
    this.asked.push(`${wanted.text}|${cursor ?? ''}|${limit}`);
    const found = matching(this.stored, wanted);
    const start = Number(cursor ?? 0);
    const end = start + limit;
    const hits = found.slice(start, end).map(session => ({ session, snippet: '' }));
    return { hits, next_cursor: end < found.length ? String(end) : null, count: this.stored.length };
  };

  show = async (id: string): Promise<Head> => head({ id });

  messages = async (_: string, __: string, before: number | null, limit: number): Promise<MessagePage> =>
    pageOf(this.said, before, limit);

  remove = async (id: string): Promise<void> => {
    this.stored = this.stored.filter(session => session.id !== id);
  };

  resume = async (id: string): Promise<Briefing | null> => {
    this.resumed.push(id);
    return null;
  };
}

/** The same with all that a panel's store can do. */
export class FakeStore extends FakeSessions {
  trash: Summary[] = [];
  done: string[] = [];

  remove = async (id: string): Promise<void> => {
    this.trash = this.stored.filter(session => session.id === id);
    this.stored = this.stored.filter(session => session.id !== id);
  };
  restore = async (): Promise<void> => {
    this.stored = [...this.trash, ...this.stored];
  };
  edit = async (id: string, changes: object): Promise<void> => {
    this.stored = this.stored.map(session => (session.id === id ? { ...session, ...changes } : session));
  };
  fork = async (id: string, at: string | null): Promise<Briefing | null> => {
    this.done.push(`fork ${id} ${at}`);
    return null;
  };
  resume = async (id: string, { takeOver = false }: Resume = {}): Promise<Briefing | null> => {
    this.resumed.push(takeOver ? `${id} taken over` : id);
    return null;
  };
}

/** The whole store as the server gives it: its tag is the number of changes. */
export class FakeServer implements ISidebarTransport {
  constructor(
    public stored: Summary[] = [summary()],
    public said: Message[] = [message()]
  ) {}

  readonly filters: readonly Filter[] = ['all', 'notebook', 'open', 'pinned', 'archived', 'trashed'];
  trash: Summary[] = [];
  asked: string[] = [];
  done: string[] = [];
  version = 0;
  /** The streams that were opened: what a test says in them arrives at once. */
  streams: ReadableStreamDefaultController<Uint8Array>[] = [];

  find = async (wanted: Find, cursor: string | null, limit: number, known?: string | null): Promise<FoundPage | null> => {
    this.asked.push(`${wanted.filter}|${wanted.text}|${cursor ?? ''}`);
    if (known === String(this.version)) {
      return null;
    }
    const found = wanted.filter === 'trashed' ? this.trash : matching(this.stored, wanted);
    const start = Number(cursor ?? 0);
    const end = start + limit;
    const hits = found.slice(start, end).map(session => ({ session, snippet: wanted.text && session.preview }));
    const next_cursor = end < found.length ? String(end) : null;
    return { hits, next_cursor, count: this.stored.length, etag: String(this.version) };
  };

  show = async (id: string): Promise<Head> => head({ ...this.stored.find(session => session.id === id), id });
  messages = async (_: string, __: string, before: number | null, limit: number): Promise<MessagePage> =>
    pageOf(this.said, before, limit);
  remove = async (id: string): Promise<void> => {
    this.trash = [...this.trash, ...this.stored.filter(session => session.id === id)];
    this.change(this.stored.filter(session => session.id !== id));
  };
  restore = async (id: string): Promise<void> => {
    const back = this.trash.filter(session => session.id === id);
    this.trash = this.trash.filter(session => session.id !== id);
    this.change([...this.stored, ...back]);
  };
  edit = async (id: string, changes: object): Promise<void> => {
    this.change(this.stored.map(session => (session.id === id ? { ...session, ...changes } : session)));
  };
  copy = async (id: string, at: string | null): Promise<Summary> => {
    const copied = summary({ id: `${id}-copy`, title: `Outliers (fork)${at === null ? '' : ` at ${at}`}` });
    this.change([copied, ...this.stored]);
    return copied;
  };
  resume = async (id: string, how: Resume): Promise<Briefing | null> => {
    this.done.push(['resume', id, ...Object.keys(how)].join(' '));
    return null;
  };
  formats = async (): Promise<readonly string[]> => ['json', 'markdown'];
  export = async (id: string, format: string): Promise<{ name: string; content: Blob }> => ({
    name: `${id}.${format}`,
    content: new Blob([id])
  });
  import = async (file: File): Promise<Brought> => {
    const made = summary({ id: file.name, title: `From ${file.name}` });
    this.change([made, ...this.stored]);
    return { sessions: [{ ...made, is_new: true, is_trashed: false, notes: [] }], failed: [] };
  };
  events = async (): Promise<ReadableStream<Uint8Array>> =>
    new ReadableStream({ start: controller => void this.streams.push(controller) });

  say(kind: string, data: object): void {
    const text = `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
    this.streams.at(-1)!.enqueue(new TextEncoder().encode(text));
  }

  /** Somebody changed the store. */
  change(stored: Summary[]): void {
    this.stored = stored;
    this.version += 1;
  }
}

export class FakePage implements ISidebarPage {
  readonly notebook = new Observable<string | null>('notes/report.ipynb');
  readonly root = '/srv/me';
  readonly downloads: string[] = [];
  download = (name: string): void => {
    this.downloads.push(name);
  };
}

/** A kernel whose events the test plays. */
export class FakeChat implements IChatTransport {
  prompts: string[] = [];
  done: string[] = [];
  said: Message[] = [message()];

  hello = async (): Promise<Hello> => ({ current: head(), turn: null, consent: null, notebook: null });
  here = async (): Promise<void> => {};
  messages = async (_: string, __: string, before: number | null, limit: number): Promise<MessagePage> =>
    pageOf(this.said, before, limit);
  create = async (): Promise<Head> => {
    this.said = [];
    return head({ id: 'new', title: 'New session' });
  };
  save = async (): Promise<Head> => head({ revision: '4-def' });
  close = async (): Promise<void> => {};
  ask = async (prompt: string): Promise<void> => {
    this.prompts.push(prompt);
  };
  retry = async (): Promise<void> => {
    this.done.push('retry');
  };
  stop = async (): Promise<void> => {
    this.done.push('stop');
  };
  rewind = async (id: string): Promise<Head> => {
    this.said = this.said.slice(0, this.said.findIndex(other => other.id === id) + 1);
    return head({ revision: '5-rew' });
  };
  setTodos = async (todos: readonly Todo[]): Promise<Head> => head({ todos: [...todos] });
  settle = async (id: string, allow: boolean, always: boolean): Promise<void> => {
    this.done.push(`settle ${id} ${allow} ${always}`);
  };
}

export function pageOf(said: readonly Message[], before: number | null, limit: number): MessagePage {
  const end = before ?? said.length;
  const start = Math.max(0, end - limit);
  return { messages: said.slice(start, end), start, total: said.length };
}

/** Fails with `reason` until `heal` is called. */
export function broken<Given extends unknown[], T>(reason: Error, healthy: (...given: Given) => Promise<T>) {
  let isBroken = true;
  const call = (...given: Given): Promise<T> => (isBroken ? Promise.reject(reason) : healthy(...given));
  return { call, heal: () => (isBroken = false) };
}

/** What a store would find: the sessions that match every word, in the given order. */
export function matching(sessions: readonly Summary[], { text, filter }: Find): Summary[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return sessions.filter(session => {
    const content = [session.title, session.preview, ...session.tags].join('\n').toLowerCase();
    return isMeant(session, filter) && words.every(word => content.includes(word));
  });
}

function isMeant(session: Summary, filter: Filter): boolean {
  switch (filter) {
    case 'open':
      return session.state === 'open';
    case 'pinned':
      return session.pinned;
    case 'archived':
      return session.archived;
    case 'notebook':
      return session.notebook?.includes('report') ?? false;
    default:
      return true;
  }
}
