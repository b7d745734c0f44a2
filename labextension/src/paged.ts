import { IObservable, Observable } from './observable';
import { Message, MessagePage } from './types';

/** A whole conversation in order; null stands for a message which is not loaded yet. */
export type Messages = readonly (Message | null)[];

export type LoadPage = (before: number | null, limit: number) => Promise<MessagePage>;

export const PAGE = 100;

/** The messages of a stored session, loaded page by page as they come into view. */
export class PagedMessages {
  constructor(private readonly _load: LoadPage) {}

  get state(): IObservable<Messages> {
    return this._state;
  }

  /** Load the last page anew. A stored message never changes, so what is known stays as it is. */
  async refresh(): Promise<void> {
    this._take(await this._load(null, PAGE), true);
  }

  /** Load what is missing around message number `index`. */
  async need(index: number): Promise<void> {
    const before = Math.min((Math.floor(index / PAGE) + 1) * PAGE, this._state.value.length);
    if (this._state.value[index] !== null || this._asked.has(before)) {
      return;
    }
    this._asked.add(before);
    try {
      const start = Math.floor(index / PAGE) * PAGE;
      this._take(await this._load(before, before - start), false);
    } finally {
      this._asked.delete(before);
    }
  }

  private _take({ messages, start, total }: MessagePage, isLast: boolean): void {
    const known = this._state.value;
    const byId = new Map(known.map(message => [message?.id, message]));
    const next: (Message | null)[] = known.slice(0, total);
    // Whoever rewound and went on elsewhere left other messages in the same places.
    if (isLast && known[start] && known[start].id !== messages[0]?.id) {
      next.fill(null);
    }
    while (next.length < total) {
      next.push(null);
    }
    messages.forEach((message, place) => (next[start + place] = byId.get(message.id) ?? message));
    this._state.value = next;
  }

  private readonly _state = new Observable<Messages>([]);
  private readonly _asked = new Set<number>();
}
