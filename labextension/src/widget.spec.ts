import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { head, message, problem } from '../test/samples';
import { Problem } from './types';
import {
  IAnyModel,
  IKernelListener,
  IPulse,
  REPLY_TIMEOUT_MS,
  WidgetChannel,
  widgetChat,
  widgetSessions
} from './widget';

type Sent = { kind: string; id: number; method: string; params: object };

/** The page's side of a widget; the test plays the kernel. */
class FakeWidget implements IAnyModel {
  sent: Sent[] = [];
  listeners = new Set<(content: unknown) => void>();

  send(content: unknown): void {
    this.sent.push(content as Sent);
  }
  on(_: 'msg:custom', listener: (content: unknown) => void): void {
    this.listeners.add(listener);
  }
  off(_: 'msg:custom', listener: (content: unknown) => void): void {
    this.listeners.delete(listener);
  }
  say(content: object): void {
    this.listeners.forEach(listener => listener(content));
  }
  reply(answer: { result: unknown } | { problem: Problem }): void {
    this.say({ kind: 'reply', id: this.sent.at(-1)!.id, ...answer });
  }
}

class Journal implements IPulse {
  entries: object[] = [];
  alive = 0;
  silences: Problem[] = [];
  /** Notes whatever event is announced. */
  listener = new Proxy({} as IKernelListener, {
    get: () => (event: object) => this.entries.push(event)
  });
  onAlive = () => (this.alive += 1);
  onSilence = (reason: Problem) => this.silences.push(reason);
}

function setUp() {
  const widget = new FakeWidget();
  const journal = new Journal();
  return { widget, journal, channel: new WidgetChannel(widget, journal.listener, journal) };
}

function sessionsOver(channel: WidgetChannel) {
  const adopted: string[] = [];
  const adopt = async ({ id }: { id: string }) => void adopted.push(id);
  return { ...widgetSessions(channel, () => '/w/a.ipynb', adopt), adopted };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a request', () => {
  it('names its method and gets the result of its reply', async () => {
    const { widget, channel } = setUp();
    const shown = sessionsOver(channel).show('s1');

    widget.reply({ result: head() });

    expect(await shown).toEqual(head());
    expect(widget.sent).toMatchObject([{ kind: 'request', method: 'show', params: { id: 's1' } }]);
  });

  it('fails with the problem of its reply', async () => {
    const { widget, channel } = setUp();
    const asked = widgetChat(channel, 'v1').ask('Hello');

    widget.reply({ problem: problem({ code: 'no_model' }) });

    await expect(asked).rejects.toMatchObject({ problem: { code: 'no_model' } });
  });

  it('is told apart from others by its id', async () => {
    const { widget, channel } = setUp();
    const first = channel.request('show', { id: 'a' });
    const second = channel.request('show', { id: 'b' });

    widget.say({ kind: 'reply', id: widget.sent[1].id, result: 'b' });
    widget.say({ kind: 'reply', id: widget.sent[0].id, result: 'a' });

    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  it('without a reply in time is a silence, and a late reply still counts', async () => {
    const { widget, journal, channel } = setUp();
    const saved = widgetChat(channel, 'v1').save();

    vi.advanceTimersByTime(REPLY_TIMEOUT_MS - 1);
    const early = journal.silences.length;
    vi.advanceTimersByTime(1);
    const late = journal.silences.map(({ code }) => code);
    widget.reply({ result: head() });

    expect(early).toBe(0);
    expect(late).toEqual(['kernel_silent']);
    expect(await saved).toEqual(head());
    expect(journal.alive).toBe(1);
  });

  it('with a reply in time is no silence later', () => {
    const { widget, journal, channel } = setUp();
    void channel.request('stop');
    widget.reply({ result: null });

    vi.advanceTimersByTime(10 * REPLY_TIMEOUT_MS);

    expect(journal.silences).toEqual([]);
  });
});

describe('the channel', () => {
  it('announces each event of the kernel', () => {
    const { widget, journal } = setUp();
    const events = [
      { kind: 'event', event: 'changed', current: head() },
      { kind: 'event', event: 'delta', message_id: 'm1', text: 'x' },
      { kind: 'event', event: 'said', message: message() }
    ];

    events.forEach(event => widget.say(event));

    expect(journal.entries).toEqual(events);
  });

  it('passes over an event that this version does not know', () => {
    const widget = new FakeWidget();
    const channel = new WidgetChannel(widget, {} as IKernelListener, new Journal());

    expect(() => widget.say({ kind: 'event', event: 'hologram' })).not.toThrow();
    channel.dispose();
  });

  it('adopts the session that a resume opened, and gives back its briefing', async () => {
    const { widget, channel } = setUp();
    const sessions = sessionsOver(channel);
    const briefing = { completeness: 'full', age_s: 1, repairs: [], lines: [] };
    const resumed = sessions.resume('s2', { takeOver: true });

    widget.reply({ result: { session: head({ id: 's2' }), briefing } });

    expect(await resumed).toEqual(briefing);
    expect(sessions.adopted).toEqual(['s2']);
    expect(widget.sent[0].params).toEqual({ id: 's2', take_over: true, trust: false });
  });

  it('asks for a page of what is meant', () => {
    const { widget, channel } = setUp();

    void sessionsOver(channel).find({ text: 'x', filter: 'notebook' }, 'c1', 50);

    expect(widget.sent[0].params).toEqual({ query: 'x* notebook:"/w/a.ipynb"', cursor: 'c1', limit: 50 });
  });

  it('hears nothing and waits for nothing once disposed', () => {
    const { widget, journal, channel } = setUp();
    void channel.request('list');

    channel.dispose();
    vi.advanceTimersByTime(REPLY_TIMEOUT_MS);

    expect(widget.listeners.size).toBe(0);
    expect(journal.silences).toEqual([]);
  });
});
