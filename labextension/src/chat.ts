import { Notices } from './notices';
import { IObservable, Observable } from './observable';
import { problemOf } from './problem';
import { Detail, Message, Summary } from './types';

export type AskReceipt = { user_message_id: string; message_id: string };

/** How the current session is reached. Failures are thrown as `ProblemError`. */
export interface IChatTransport {
  current(): Promise<Detail | null>;
  create(): Promise<Detail>;
  save(): Promise<Summary>;
  close(): Promise<void>;
  /** Begins a turn; the answer comes by events. */
  ask(prompt: string): Promise<AskReceipt>;
  stop(): Promise<void>;
}

export type ChatState = {
  session: Detail | null;
  /** Messages of this page which the session from the kernel does not hold yet. */
  tail: readonly Message[];
  /** The id of the answer which is being written. */
  streaming: string | null;
  /** A prompt is on its way and not yet taken. */
  asking: boolean;
  saving: boolean;
};

/** The conversation with the kernel's current session. */
export interface IChatModel {
  readonly state: IObservable<ChatState>;
  refresh(): Promise<void>;
  /** True when the kernel took the prompt; false leaves it with the caller. */
  ask(prompt: string): Promise<boolean>;
  stop(): Promise<void>;
  save(): Promise<void>;
  create(): Promise<void>;
  close(): Promise<void>;
}

/** All messages in order; this page's own state of a message wins over the kernel's. */
export function conversation(state: ChatState): Message[] {
  const own = new Set(state.tail.map(message => message.id));
  const stored = state.session?.messages.filter(message => !own.has(message.id)) ?? [];
  return [...stored, ...state.tail];
}

export class ChatModel implements IChatModel {
  /**
   * @param now the clock [ms], for the time of a message just sent.
   */
  constructor(
    private readonly _transport: IChatTransport,
    private readonly _notices: Notices,
    private readonly _now: () => number
  ) {}

  readonly state = new Observable<ChatState>({
    session: null,
    tail: [],
    streaming: null,
    asking: false,
    saving: false
  });

  async refresh(): Promise<void> {
    try {
      this.adopt(await this._transport.current());
    } catch (reason) {
      this._notices.problem('current', problemOf(reason));
    }
  }

  /** Take over the kernel's current session, keeping an answer which is being written in it. */
  adopt(session: Detail | null): void {
    const { session: previous, tail, streaming } = this.state.value;
    if (session === null || (previous !== null && previous.id !== session.id)) {
      this._patch({ session, tail: [], streaming: null });
      return;
    }
    // Between turns the kernel knows best: it may have taken messages back.
    const known = new Set(session.messages.map(message => message.id));
    const isOurs = (id: string) => streaming !== null && (id === streaming || !known.has(id));
    this._patch({ session, tail: tail.filter(message => isOurs(message.id)) });
  }

  ask(prompt: string): Promise<boolean> {
    if (this.state.value.asking || this.state.value.streaming !== null) {
      return Promise.resolve(false);
    }
    this._patch({ asking: true });
    return this._transport.ask(prompt).then(
      receipt => {
        this._notices.dismiss('ask');
        this._begin(prompt, receipt);
        return true;
      },
      reason => {
        this._notices.problem('ask', problemOf(reason));
        this._patch({ asking: false });
        return false;
      }
    );
  }

  /** Append to the answer being written; text for any other message is not ours to show. */
  receiveDelta(id: string, text: string): void {
    const { streaming, tail } = this.state.value;
    if (streaming === id) {
      this._patch({
        tail: tail.map(message => (message.id === id ? withText(message, text) : message))
      });
      return;
    }
    const message = this._turnUnderWay(id);
    if (message !== null) {
      this._patch({ tail: [...tail, withText(message, text)], streaming: id });
    }
  }

  /** The final form of an answer replaces what was streamed. */
  receiveTurnEnd(message: Message): void {
    const { session, tail, streaming } = this.state.value;
    const replaced = (messages: readonly Message[]) =>
      messages.map(other => (other.id === message.id ? message : other));
    this._lastEnded = message.id;
    this._patch({
      session: session && { ...session, messages: replaced(session.messages) },
      tail: replaced(tail),
      streaming: streaming === message.id ? null : streaming
    });
  }

  async stop(): Promise<void> {
    await this._tell('stop', () => this._transport.stop());
  }

  async save(): Promise<void> {
    this._patch({ saving: true });
    await this._tell('save', async () => {
      const summary = await this._transport.save();
      const { session } = this.state.value;
      if (session?.id === summary.id) {
        this._patch({ session: { ...session, ...summary } });
      }
    });
    this._patch({ saving: false });
  }

  async create(): Promise<void> {
    await this._tell('new', async () => this.adopt(await this._transport.create()));
  }

  async close(): Promise<void> {
    await this._tell('close', async () => {
      await this._transport.close();
      this.adopt(null);
    });
  }

  private _begin(prompt: string, receipt: AskReceipt): void {
    const created_at = new Date(this._now()).toISOString();
    const known = new Set(this.state.value.session?.messages.map(message => message.id));
    const question: Message = {
      id: receipt.user_message_id,
      role: 'user',
      parts: [{ type: 'text', content: prompt }],
      created_at
    };
    const answer: Message = { id: receipt.message_id, role: 'assistant', parts: [], created_at };
    this._patch({
      asking: false,
      streaming: answer.id,
      tail: [...this.state.value.tail, ...(known.has(question.id) ? [] : [question]), answer]
    });
  }

  /** The session's last answer, if text may still come for it: a page opened in the middle of a turn. */
  private _turnUnderWay(id: string): Message | null {
    const last = this.state.value.session?.messages.at(-1);
    const open = last?.id === id && last.role === 'assistant' && id !== this._lastEnded;
    return open ? last : null;
  }

  private async _tell(topic: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this._notices.dismiss(topic);
    } catch (reason) {
      this._notices.problem(topic, problemOf(reason));
    }
  }

  private _patch(part: Partial<ChatState>): void {
    this.state.value = { ...this.state.value, ...part };
  }

  private _lastEnded: string | null = null;
}

/** The message with `text` after its last text part. */
function withText(message: Message, text: string): Message {
  const last = message.parts.at(-1);
  if (last?.type !== 'text') {
    return { ...message, parts: [...message.parts, { type: 'text', content: text }] };
  }
  const grown = { ...last, content: (last.content ?? '') + text };
  return { ...message, parts: [...message.parts.slice(0, -1), grown] };
}
