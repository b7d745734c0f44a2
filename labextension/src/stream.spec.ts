import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EventParser, EventStream, OpenStream } from './stream';

describe('EventParser', () => {
  const WHOLE = 'retry: 2000\nid: e-1\nevent: changed\ndata: {"id": "a"}\n\n: still here\n\nevent: reset\ndata: 1\ndata: 2\n\n';
  const EVENTS = [
    { kind: 'changed', data: '{"id": "a"}' },
    { kind: 'reset', data: '1\n2' }
  ];

  it.each([1, 2, 3, 7, 1000])('makes the same events of pieces of %i characters', size => {
    const parser = new EventParser();
    const pieces = WHOLE.match(new RegExp(`[^]{1,${size}}`, 'g'))!;

    expect(pieces.flatMap(piece => parser.push(piece))).toEqual(EVENTS);
    expect(parser.lastId).toBe('e-1');
  });

  it.each(['\r\n', '\r'])('takes %j for the end of a line', end => {
    const parser = new EventParser();
    const pieces = WHOLE.replaceAll('\n', end).match(/[^]{1,5}/g)!;

    expect([...pieces, 'event: x\n'].flatMap(piece => parser.push(piece))).toEqual(EVENTS);
  });

  it('gives no event that was cut off', () => {
    const parser = new EventParser();

    const before = parser.push('event: changed\ndata: {"id"');
    parser.reset();

    expect([...before, ...parser.push('\n\n')]).toEqual([]);
  });
});

describe('EventStream', () => {
  type Opened = { after: string | null; controller: ReadableStreamDefaultController<Uint8Array>; signal: AbortSignal };

  function setUp({ failing = 0 } = {}) {
    const opened: Opened[] = [];
    const seen: string[] = [];
    let failures = failing;
    const open: OpenStream = async (after, signal) => {
      if (failures-- > 0) {
        seen.push('failed');
        throw new Error('away');
      }
      return new ReadableStream({
        start: controller => {
          opened.push({ after, controller, signal });
          signal.addEventListener('abort', () => controller.error(new Error('aborted')));
        }
      });
    };
    const stream = new EventStream(
      open,
      event => seen.push(event.kind),
      isLive => seen.push(isLive ? 'live' : 'broken')
    );
    const say = (text: string) => opened.at(-1)!.controller.enqueue(new TextEncoder().encode(text));
    return { stream, opened, seen, say };
  }

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells of events as they come', async () => {
    const { stream, seen, say } = setUp();
    stream.start();
    await vi.advanceTimersByTimeAsync(0);

    say('id: e-1\nevent: ready\ndata: {}\n\n');
    say('id: e-2\nevent: changed\ndata: {}\n\n');
    await vi.advanceTimersByTimeAsync(0);

    expect(seen).toEqual(['live', 'ready', 'changed']);
    stream.stop();
  });

  it('goes on after the last event when it broke', async () => {
    const { stream, opened, seen, say } = setUp();
    stream.start();
    await vi.advanceTimersByTimeAsync(0);
    say('id: e-5\nevent: ready\ndata: {}\n\n');
    await vi.advanceTimersByTimeAsync(0);

    opened[0].controller.close();
    await vi.advanceTimersByTimeAsync(1000);

    expect(opened.map(({ after }) => after)).toEqual([null, 'e-5']);
    expect(seen).toEqual(['live', 'ready', 'broken']);
    stream.stop();
  });

  it('asks less and less often while it cannot be had', async () => {
    const { stream, opened, seen } = setUp({ failing: 4 });
    stream.start();

    await vi.advanceTimersByTimeAsync(2000 + 4000 + 8000);
    const failed = seen.length;
    await vi.advanceTimersByTimeAsync(16_000);

    expect(failed).toBe(4);
    expect(opened).toHaveLength(1);
    stream.stop();
  });

  it('takes a long silence for the end', async () => {
    const { stream, opened, seen, say } = setUp();
    stream.start();
    await vi.advanceTimersByTimeAsync(0);
    say(': still here\n\n');

    await vi.advanceTimersByTimeAsync(41_000);

    expect(seen).toEqual(['live', 'broken']);
    expect(opened[0].signal.aborted).toBe(true);
    stream.stop();
  });

  it('is over when it was stopped', async () => {
    const { stream, opened } = setUp();
    stream.start();
    await vi.advanceTimersByTimeAsync(0);

    stream.stop();
    await vi.advanceTimersByTimeAsync(120_000);

    expect(opened).toHaveLength(1);
    expect(opened[0].signal.aborted).toBe(true);
  });
});
