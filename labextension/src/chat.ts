import { Notices } from './notices';
import { IObservable, Observable } from './observable';
import { Messages, PagedMessages } from './paged';
import { Requests } from './requests';
import { Consent, Head, Message, MessagePage, Part, Todo } from './types';

/** What a page learns when it is opened: the session, and the turn that may be under way in it. */
export type Hello = {
  current: Head | null;
  turn: { message_id: string; text: string; reasoning: string } | null;
  consent: Consent | null;
  notebook: string | null;
};

export type ToolCall = { id: string; name: string; arguments: unknown };

/** How the current session is reached. Failures are thrown as `ProblemError`. */
export interface IChatTransport {
  hello(): Promise<Hello>;
  /** The page is still there, while it is asked something. */
  here(): Promise<void>;
  messages(id: string, revision: string, before: number | null, limit: number): Promise<MessagePage>;
  create(): Promise<Head>;
  save(): Promise<Head>;
  close(): Promise<void>;
  /** Begins a turn; the answer comes by events. */
  ask(prompt: string): Promise<void>;
  /** The last question again. */
  retry(): Promise<void>;
  stop(): Promise<void>;
  rewind(message: string): Promise<Head>;
  setTodos(todos: readonly Todo[]): Promise<Head>;
  settle(consent: string, allow: boolean, always: boolean): Promise<void>;
}

export type ChatState = {
  session: Head | null;
  stored: Messages;
  /** Messages of the turn under way, which may not be among the stored ones yet. */
  tail: readonly Message[];
  /** A turn is under way. */
  isAnswering: boolean;
  /** The id of the answer which is being written. */
  streaming: string | null;
  /** The id of the tool call that runs. */
  calling: string | null;
  consent: Consent | null;
  /** Code that was allowed waits for a running cell. */
  isWaiting: boolean;
  /** What the assistant does instead of writing; one sentence. */
  notice: string | null;
  /** The notebook of this kernel. */
  notebook: string | null;
};

/** The conversation with the kernel's current session. */
export interface IChatModel {
  readonly state: IObservable<ChatState>;
  /** Keys of requests under way: "ask", "save", ... */
  readonly busy: IObservable<ReadonlySet<string>>;
  refresh(): Promise<void>;
  /** True when the kernel took the prompt; false leaves it with the caller. */
  ask(prompt: string): Promise<boolean>;
  retry(): Promise<boolean>;
  stop(): Promise<void>;
  save(): Promise<void>;
  create(): Promise<void>;
  close(): Promise<void>;
  rewind(message: string): Promise<void>;
  setTodos(todos: readonly Todo[]): Promise<void>;
  settle(allow: boolean, always?: boolean): Promise<void>;
  /** A message came into view. */
  need(index: number): void;
}

/** All messages in order. */
export function conversation({ stored, tail }: ChatState): Messages {
  if (tail.length === 0) {
    return stored;
  }
  const known = new Set(stored.slice(-2 * tail.length - 100).map(message => message?.id));
  return [...stored, ...tail.filter(message => !known.has(message.id))];
}

const HERE_MS = 20_000;
const QUIET = { isAnswering: false, streaming: null, calling: null, notice: null, isWaiting: false };

export class ChatModel implements IChatModel {
  /**
   * @param now the clock [ms], for the time of a message that is being written.
   */
  constructor(
    private readonly _transport: IChatTransport,
    private readonly _notices: Notices,
    private readonly _now: () => number
  ) {
    this._requests = new Requests(_notices);
    this.busy = this._requests.busy;
  }

  readonly busy: IObservable<ReadonlySet<string>>;

  readonly state = new Observable<ChatState>({
    session: null,
    stored: [],
    tail: [],
    consent: null,
    notebook: null,
    ...QUIET
  });

  /** Learn everything anew. */
  async refresh(): Promise<void> {
    await this._requests.run('current', async () => {
      const { current, turn, consent, notebook } = await this._transport.hello();
      this._patch({ notebook });
      await this.adopt(current);
      this.receiveConsent(consent);
      if (turn !== null && turn.message_id !== '') {
        this.receiveBegan(turn.message_id);
        this._grow(turn.message_id, 'reasoning', turn.reasoning);
        this._grow(turn.message_id, 'text', turn.text);
      }
    });
  }

  /** Take over the kernel's current session, keeping a turn which is under way in it. */
  async adopt(session: Head | null): Promise<void> {
    const before = this.state.value.session;
    if (session === null || before?.id !== session.id) {
      this._pages = session && this._open(session.id);
      this._patch({ session, stored: [], tail: [], ...QUIET });
    } else {
      this._patch({ session });
    }
    if (session !== null && before?.revision !== session.revision) {
      await this._loadLast();
    }
  }

  async ask(prompt: string): Promise<boolean> {
    return !this.state.value.isAnswering && this._requests.run('ask', () => this._transport.ask(prompt));
  }

  async retry(): Promise<boolean> {
    return !this.state.value.isAnswering && this._requests.run('ask', () => this._transport.retry());
  }

  receiveAsked(question: Message): void {
    this._notices.dismiss('resume'); // the briefing was read by now
    this._patch({ isAnswering: true, tail: [...this._unstored(), question] });
  }

  receiveBegan(id: string): void {
    const answer: Message = {
      id,
      role: 'assistant',
      parts: [],
      created_at: new Date(this._now()).toISOString()
    };
    const isNew = this.state.value.tail.every(message => message.id !== id);
    const tail = isNew ? [...this.state.value.tail, answer] : this.state.value.tail;
    this._patch({ isAnswering: true, streaming: id, calling: null, notice: null, tail });
  }

  receiveDelta(id: string, text: string): void {
    this._grow(id, 'text', text);
  }

  receiveReasoning(id: string, text: string): void {
    this._grow(id, 'reasoning', text);
  }

  receiveCall(call: ToolCall): void {
    this._patch({ calling: call.id });
  }

  receiveNotice(text: string): void {
    this._patch({ notice: text });
  }

  /** The final form of a message replaces what was streamed. */
  receiveSaid(message: Message): void {
    const { tail } = this.state.value;
    const isKnown = tail.some(other => other.id === message.id);
    this._patch({
      tail: isKnown ? tail.map(other => (other.id === message.id ? message : other)) : [...tail, message],
      streaming: null,
      calling: null,
      notice: null
    });
  }

  receiveTurnEnd(): void {
    this._patch({ ...QUIET, consent: null });
  }

  receiveConsent(consent: Consent | null): void {
    this._patch({ consent });
    clearInterval(this._here);
    if (consent !== null) {
      this._here = setInterval(() => void this._transport.here(), HERE_MS);
    }
  }

  receiveConsentOver(id: string): void {
    if (this.state.value.consent?.id === id) {
      this.receiveConsent(null);
    }
  }

  receiveWaiting(isWaiting: boolean): void {
    this._patch({ isWaiting });
  }

  async stop(): Promise<void> {
    await this._requests.run('stop', () => this._transport.stop());
  }

  async save(): Promise<void> {
    await this._adopting('save', () => this._transport.save());
  }

  async create(): Promise<void> {
    await this._adopting('new', () => this._transport.create());
  }

  async close(): Promise<void> {
    await this._requests.run('close', async () => {
      await this._transport.close();
      await this.adopt(null);
    });
  }

  async rewind(message: string): Promise<void> {
    await this._adopting('rewind', () => this._transport.rewind(message));
  }

  async setTodos(todos: readonly Todo[]): Promise<void> {
    const { session } = this.state.value;
    // Shown at once: a box that follows its click a second later is clicked twice.
    this._patch({ session: session && { ...session, todos: [...todos] } });
    await this._adopting('todos', () => this._transport.setTodos(todos));
  }

  async settle(allow: boolean, always = false): Promise<void> {
    const { consent } = this.state.value;
    if (consent !== null) {
      await this._requests.run('consent', () => this._transport.settle(consent.id, allow, always));
    }
  }

  need(index: number): void {
    void this._requests.run('messages', async () => this._pages?.need(index), { key: `messages ${index}` });
  }

  dispose(): void {
    clearInterval(this._here);
  }

  private async _adopting(topic: string, act: () => Promise<Head>): Promise<void> {
    await this._requests.run(topic, async () => this.adopt(await act()));
  }

  private _open(id: string): PagedMessages {
    const pages = new PagedMessages((before, limit) =>
      this._transport.messages(id, this.state.value.session?.revision ?? '', before, limit)
    );
    pages.state.subscribe(() => this._pages === pages && this._patch({ stored: pages.state.value }));
    return pages;
  }

  private async _loadLast(): Promise<void> {
    const pages = this._pages;
    await pages?.refresh();
    // Between turns the kernel knows best: it may have taken messages back.
    if (this._pages === pages && !this.state.value.isAnswering) {
      this._patch({ tail: [] });
    }
  }

  /** What the stored conversation does not hold yet. */
  private _unstored(): readonly Message[] {
    const { stored, tail } = this.state.value;
    const known = new Set(stored.slice(-100).map(message => message?.id));
    return tail.filter(message => !known.has(message.id));
  }

  /** Add to the answer which is being written; text for any other message is not ours to show. */
  private _grow(id: string, type: 'text' | 'reasoning', text: string): void {
    const { streaming, tail } = this.state.value;
    if (streaming === id && text !== '') {
      const grown = (message: Message) => (message.id === id ? grow(message, type, text) : message);
      this._patch({ tail: tail.map(grown), notice: null });
    }
  }

  private _patch(part: Partial<ChatState>): void {
    this.state.value = { ...this.state.value, ...part };
  }

  private readonly _requests: Requests;
  private _pages: PagedMessages | null = null;
  private _here: ReturnType<typeof setInterval> | undefined;
}

/** The message with `text` after its last part, when that is of this type. */
function grow(message: Message, type: 'text' | 'reasoning', text: string): Message {
  const last = message.parts.at(-1);
  const part: Part = last?.type === type ? { ...last, content: (last.content ?? '') + text } : { type, content: text };
  return { ...message, parts: [...(last?.type === type ? message.parts.slice(0, -1) : message.parts), part] };
}

/** Whose session it is, when it is no longer ours: another process took it over. */
export function isLostElsewhere(state: ChatState): boolean {
  return state.session?.is_here === false;
}

