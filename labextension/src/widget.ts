import { Hello, IChatTransport, ToolCall } from './chat';
import { Find, queryOf } from './listing';
import { Changes, ISessionsTransport, Resume } from './model';
import { localProblem, ProblemError } from './problem';
import { ITrans, PLAIN } from './translation';
import { Briefing, Consent, FoundPage, Head, Message, MessagePage, Problem } from './types';

/** The part of an anywidget model which we use. */
export interface IAnyModel {
  send(content: unknown): void;
  on(name: 'msg:custom', listener: (content: unknown) => void): void;
  off(name: 'msg:custom', listener: (content: unknown) => void): void;
}

type Reply =
  | { kind: 'reply'; id: number; result: unknown }
  | { kind: 'reply'; id: number; problem: Problem };

/** What the kernel says without being asked, by event name. */
export interface IKernelListener {
  changed(event: { current: Head | null }): void;
  asked(event: { message: Message }): void;
  began(event: { message_id: string }): void;
  reasoning(event: { message_id: string; text: string }): void;
  delta(event: { message_id: string; text: string }): void;
  call(event: { call: ToolCall }): void;
  said(event: { message: Message }): void;
  notice(event: { text: string }): void;
  turn_end(event: object): void;
  consent(event: Consent): void;
  consent_over(event: { id: string }): void;
  waiting(event: { is_waiting: boolean }): void;
  problem(event: { problem: Problem }): void;
}

export interface IPulse {
  /** Any message arrived. */
  onAlive(): void;
  /** A request was not answered in time; it stays open, for a busy kernel answers late. */
  onSilence(problem: Problem): void;
}

type KernelEvent = { kind: 'event'; event: keyof IKernelListener };

export const REPLY_TIMEOUT_MS = 5000;

/** Requests, replies and events over the custom messages of a widget. */
export class WidgetChannel {
  constructor(
    private readonly _model: IAnyModel,
    private readonly _listener: IKernelListener,
    private readonly _pulse: IPulse,
    private readonly _trans: ITrans = PLAIN
  ) {
    this._model.on('msg:custom', this._receive);
  }

  dispose(): void {
    this._model.off('msg:custom', this._receive);
    for (const { timer } of this._waiting.values()) {
      clearTimeout(timer);
    }
    this._waiting.clear();
  }

  request<T>(method: string, params: object = {}): Promise<T> {
    const id = this._nextId++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this._pulse.onSilence(silent(this._trans)), REPLY_TIMEOUT_MS);
      this._waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, timer });
      this._model.send({ kind: 'request', id, method, params });
    });
  }

  /** Send a request whose reply nobody waits for. */
  tell(method: string, params: object): void {
    this._model.send({ kind: 'request', id: this._nextId++, method, params });
  }

  private readonly _receive = (content: unknown): void => {
    const message = content as Reply | KernelEvent;
    this._pulse.onAlive();
    if (message.kind === 'reply') {
      this._settle(message);
    } else if (message.kind === 'event') {
      // An event of a later version is no concern of this page.
      this._listener[message.event]?.(message as never);
    }
  };

  private _settle(reply: Reply): void {
    const waiting = this._waiting.get(reply.id);
    // Two views of one widget share its messages: the other one's replies are unknown here.
    if (waiting === undefined) {
      return;
    }
    this._waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    if ('problem' in reply) {
      waiting.reject(new ProblemError(reply.problem));
    } else {
      waiting.resolve(reply.result);
    }
  }

  // A random start keeps the numbers of two views of one widget apart.
  private _nextId = Math.floor(Math.random() * 2 ** 31) * 2 ** 16;
  private readonly _waiting = new Map<
    number,
    {
      resolve: (result: unknown) => void;
      reject: (reason: ProblemError) => void;
      timer: ReturnType<typeof setTimeout>;
    }
  >();
}

function silent(trans: ITrans): Problem {
  return localProblem(
    'kernel_silent',
    trans.__('No answer from the kernel'),
    trans.__('The kernel is busy or gone; restart it or re-run the cell with %1.', '%jido panel')
  );
}

/** Sessions over a widget channel; what opens another one also changes the chat. */
export function widgetSessions(
  channel: WidgetChannel,
  notebook: () => string | null,
  adopt: (session: Head) => Promise<void>
): ISessionsTransport {
  const opened = async (method: string, params: object): Promise<Briefing> => {
    const { session, briefing } = await channel.request<{ session: Head; briefing: Briefing }>(method, params);
    await adopt(session);
    return briefing;
  };
  return {
    filters: ['all', 'notebook', 'open', 'pinned', 'archived', 'trashed'],
    find: (wanted: Find, cursor: string | null, limit: number) =>
      channel.request<FoundPage>('find', { query: queryOf(wanted, notebook()), cursor, limit }),
    show: (id: string) => channel.request<Head>('show', { id }),
    messages: messagesOver(channel),
    remove: (id: string) => channel.request<void>('delete', { id }),
    restore: (id: string) => channel.request<void>('restore', { id }),
    edit: (id: string, changes: Changes) => channel.request<void>('edit', { id, ...changes }),
    resume: (id: string, { takeOver = false, trust = false }: Resume) =>
      opened('resume', { id, take_over: takeOver, trust }),
    fork: (id: string, message: string | null) => opened('fork', { id, message })
  };
}

function messagesOver(channel: WidgetChannel) {
  return (id: string, revision: string, before: number | null, limit: number) =>
    channel.request<MessagePage>('messages', { id, revision, before, limit });
}

export function widgetChat(channel: WidgetChannel, view: string): IChatTransport {
  return {
    hello: () => channel.request<Hello>('hello', { view }),
    here: () => channel.request<void>('here', { view }),
    messages: messagesOver(channel),
    create: () => channel.request<Head>('new'),
    save: () => channel.request<Head>('save'),
    close: () => channel.request<void>('close'),
    ask: prompt => channel.request<void>('ask', { prompt }),
    retry: () => channel.request<void>('retry'),
    stop: () => channel.request<void>('stop'),
    rewind: message => channel.request<Head>('rewind', { message }),
    setTodos: todos => channel.request<Head>('todos', { todos }),
    settle: (id, allow, always) => channel.request<void>('consent', { id, allow, always })
  };
}
