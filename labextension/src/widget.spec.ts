import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { detail, message, problem, summary } from '../test/samples';
import { Problem } from './types';
import { IAnyModel, IKernelListener, REPLY_TIMEOUT_MS, WidgetChannel, widgetChat, widgetSessions } from './widget';

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

class Journal implements IKernelListener {
  entries: unknown[] = [];
  alive = 0;
  silences: Problem[] = [];
  onSessions = (sessions: unknown) => this.entries.push(['sessions', sessions]);
  onCurrent = (session: unknown) => this.entries.push(['current', session]);
  onDelta = (id: string, text: string) => this.entries.push(['delta', id, text]);
  onTurnEnd = (ended: unknown) => this.entries.push(['turn_end', ended]);
  onAlive = () => (this.alive += 1);
  onSilence = (reason: Problem) => this.silences.push(reason);
}

function setUp() {
  const widget = new FakeWidget();
  const journal = new Journal();
  return { widget, journal, channel: new WidgetChannel(widget, journal) };
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
    const list = widgetSessions(channel).list();

    widget.reply({ result: { sessions: [summary()] } });

    expect(await list).toEqual([summary()]);
    expect(widget.sent).toMatchObject([{ kind: 'request', method: 'list', params: {} }]);
  });

  it('fails with the problem of its reply', async () => {
    const { widget, channel } = setUp();
    const asked = widgetChat(channel).ask('Hello');

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
    const saved = widgetChat(channel).save();

    vi.advanceTimersByTime(REPLY_TIMEOUT_MS - 1);
    const early = journal.silences.length;
    vi.advanceTimersByTime(1);
    const late = journal.silences.map(({ code }) => code);
    widget.reply({ result: summary() });

    expect(early).toBe(0);
    expect(late).toEqual(['kernel_silent']);
    expect(await saved).toEqual(summary());
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

    widget.say({ kind: 'event', event: 'sessions', sessions: [] });
    widget.say({ kind: 'event', event: 'current', session: detail() });
    widget.say({ kind: 'event', event: 'delta', message_id: 'm1', text: 'x' });
    widget.say({ kind: 'event', event: 'turn_end', message: message() });

    expect(journal.entries).toEqual([
      ['sessions', []],
      ['current', detail()],
      ['delta', 'm1', 'x'],
      ['turn_end', message()]
    ]);
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
