/** The server's stream of events. `EventSource` cannot send a token, so it is read by hand. */

// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export type ServerEvent = { kind: string; data: string };

/** Makes events of the pieces of a stream, however it is cut. */
export class EventParser {
  /** Of the last event; a stream that is opened again goes on after it. */
  lastId: string | null = null;

  push(piece: string): ServerEvent[] {
    const lines = (this._rest + piece).split(/\r\n|\n|\r(?!$)/);
    this._rest = lines.pop()!;
    return lines.flatMap(line => this._take(line));
  }

  /** A stream ended; what was cut off is no event. */
  reset(): void {
    this._rest = '';
    this._kind = '';
    this._data = [];
  }

  private _take(line: string): ServerEvent[] {
    if (line === '') {
      const event = { kind: this._kind || 'message', data: this._data.join('\n') };
      const isWhole = this._data.length > 0;
      this._kind = '';
      this._data = [];
      return isWhole ? [event] : [];
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line)!;
    if (field === 'event') {
      this._kind = value;
    } else if (field === 'data') {
      this._data.push(value);
    } else if (field === 'id') {
      this.lastId = value;
    }
    return [];
  }

  private _rest = '';
  private _kind = '';
  private _data: string[] = [];
}

export type OpenStream = (after: string | null, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const SILENCE_MS = 40_000; // the server says something every 15 s

/** Holds the stream open from `start` to `stop`, and opens it again when it breaks, later each time. */
export class EventStream {
  /**
   * @param _onEvent is called for each event.
   * @param _onLive is called when the stream begins and when it breaks.
   */
  constructor(
    private readonly _open: OpenStream,
    private readonly _onEvent: (event: ServerEvent) => void,
    private readonly _onLive: (isLive: boolean) => void
  ) {}

  start(): void {
    if (this._abort === null) {
      this._abort = new AbortController();
      void this._run(this._abort.signal);
    }
  }

  stop(): void {
    this._abort?.abort();
    this._abort = null;
  }

  private async _run(signal: AbortSignal): Promise<void> {
    let wait_ms = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const wasLive = await this._read(signal);
      wait_ms = wasLive ? FIRST_WAIT_MS : Math.min(2 * wait_ms, LONGEST_WAIT_MS);
      await pause(wait_ms, signal);
    }
  }

  /** Read until the stream breaks; tells whether it was one. */
  private async _read(signal: AbortSignal): Promise<boolean> {
    const watch = new Watchdog(SILENCE_MS, signal);
    let isLive = false;
    try {
      const reader = (await this._open(this._parser.lastId, watch.signal)).getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || watch.signal.aborted) {
          return isLive;
        }
        watch.feed();
        if (!isLive) {
          isLive = true;
          this._onLive(true);
        }
        this._parser.push(decoder.decode(value, { stream: true })).forEach(this._onEvent);
      }
    } catch {
      return isLive; // why the server cannot be reached is found out, and told, by whoever lists
    } finally {
      watch.dispose();
      this._parser.reset();
      if (isLive) {
        this._onLive(false);
      }
    }
  }

  private readonly _parser = new EventParser();
  private _abort: AbortController | null = null;
}

/** Aborts what nothing was heard of for too long. */
class Watchdog {
  constructor(
    private readonly _patience_ms: number,
    private readonly _outer: AbortSignal
  ) {
    this._outer.addEventListener('abort', this._end);
    this.feed();
  }

  get signal(): AbortSignal {
    return this._abort.signal;
  }

  feed(): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(this._end, this._patience_ms);
  }

  dispose(): void {
    clearTimeout(this._timer);
    this._outer.removeEventListener('abort', this._end);
    this._abort.abort();
  }

  private readonly _end = (): void => this._abort.abort();
  private readonly _abort = new AbortController();
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

function pause(wait_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end); // one signal outlives many pauses
      resolve();
    };
    const timer = setTimeout(end, wait_ms);
    signal.addEventListener('abort', end);
  });
}
