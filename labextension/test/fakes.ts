import { Hello, IChatTransport } from '../src/chat';
import { arranged, Filter, Find } from '../src/listing';
import { ISessionsTransport } from '../src/model';
import { Briefing, FoundPage, Head, Message, MessagePage, Summary, Todo } from '../src/types';
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
    const found = arranged(this.stored, wanted);
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
  resume = async (id: string, takeOver = false): Promise<Briefing | null> => {
    this.resumed.push(takeOver ? `${id} taken over` : id);
    return null;
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
