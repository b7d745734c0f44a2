import { AskReceipt, IChatTransport } from './chat';
import { localProblem, ProblemError } from './problem';
import { Briefing, Detail, Message, Problem, Summary } from './types';

/** The part of an anywidget model which we use. */
export interface IAnyModel {
  send(content: unknown): void;
  on(name: 'msg:custom', listener: (content: unknown) => void): void;
  off(name: 'msg:custom', listener: (content: unknown) => void): void;
}

type Reply =
  | { kind: 'reply'; id: number; result: unknown }
  | { kind: 'reply'; id: number; problem: Problem };

type KernelEvent =
  | { kind: 'event'; event: 'sessions'; sessions: Summary[] }
  | { kind: 'event'; event: 'current'; session: Detail | null }
  | { kind: 'event'; event: 'delta'; message_id: string; text: string }
  | { kind: 'event'; event: 'turn_end'; message: Message };

/** What the kernel says without being asked, and whether it says anything at all. */
export interface IKernelListener {
  onSessions(sessions: Summary[]): void;
  onCurrent(session: Detail | null): void;
  onDelta(id: string, text: string): void;
  onTurnEnd(message: Message): void;
  /** Any message arrived. */
  onAlive(): void;
  /** A request was not answered in time; it stays open, for a busy kernel answers late. */
  onSilence(problem: Problem): void;
}

export const REPLY_TIMEOUT_MS = 5000;

const SILENT = localProblem(
  'kernel_silent',
  'No answer from the kernel',
  'The kernel is busy or gone; restart it or re-run the cell with %jido panel.'
);

/** Requests, replies and events over the custom messages of a widget. */
export class WidgetChannel {
  constructor(
    private readonly _model: IAnyModel,
    private readonly _listener: IKernelListener
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
      const timer = setTimeout(() => this._listener.onSilence(SILENT), REPLY_TIMEOUT_MS);
      this._waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, timer });
      this._model.send({ kind: 'request', id, method, params });
    });
  }

  private readonly _receive = (content: unknown): void => {
    const message = content as Reply | KernelEvent;
    this._listener.onAlive();
    if (message.kind === 'reply') {
      this._settle(message);
    } else if (message.kind === 'event') {
      this._announce(message);
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

  private _announce(message: KernelEvent): void {
    switch (message.event) {
      case 'sessions':
        return this._listener.onSessions(message.sessions);
      case 'current':
        return this._listener.onCurrent(message.session);
      case 'delta':
        return this._listener.onDelta(message.message_id, message.text);
      case 'turn_end':
        return this._listener.onTurnEnd(message.message);
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

/** Sessions over a widget channel, apart from `resume`, which also changes the chat. */
export function widgetSessions(channel: WidgetChannel) {
  return {
    list: async () => (await channel.request<{ sessions: Summary[] }>('list')).sessions,
    show: (id: string) => channel.request<Detail>('show', { id }),
    remove: (id: string) => channel.request<void>('delete', { id })
  };
}

export function resumeOver(
  channel: WidgetChannel,
  id: string
): Promise<{ session: Detail; briefing: Briefing }> {
  return channel.request('resume', { id });
}

export function widgetChat(channel: WidgetChannel): IChatTransport {
  return {
    current: () => channel.request<Detail | null>('current'),
    create: () => channel.request<Detail>('new'),
    save: () => channel.request<Summary>('save'),
    close: () => channel.request<void>('close'),
    ask: prompt => channel.request<AskReceipt>('ask', { prompt }),
    stop: () => channel.request<void>('stop')
  };
}
