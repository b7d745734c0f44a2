import { Notices } from './notices';
import { Observable } from './observable';
import { problemOf } from './problem';
import { ITrans, PLAIN } from './translation';
import { Problem } from './types';

/** Requests by key: one at a time for each; a failure is told under its topic, and gone with the next success. */
export class Requests {
  constructor(
    private readonly _notices: Notices,
    private readonly _trans: ITrans = PLAIN
  ) {}

  /** The keys with a request under way. */
  readonly busy = new Observable<ReadonlySet<string>>(new Set());

  /**
   * Runs `act` unless one for `key` is under way.
   *
   * @param explain takes a problem over; true when it has told the user itself.
   * @returns whether it succeeded.
   */
  async run(
    topic: string,
    act: () => Promise<void>,
    { key = topic, explain }: { key?: string; explain?: (problem: Problem) => boolean } = {}
  ): Promise<boolean> {
    if (this.busy.value.has(key)) {
      return false;
    }
    this._mark(key, true);
    try {
      await act();
      this._notices.dismiss(topic);
      return true;
    } catch (reason) {
      const problem = problemOf(reason, this._trans);
      if (!explain?.(problem)) {
        this._notices.problem(topic, problem);
      }
      return false;
    } finally {
      this._mark(key, false);
    }
  }

  private _mark(key: string, isBusy: boolean): void {
    const keys = new Set(this.busy.value);
    if (isBusy) {
      keys.add(key);
    } else {
      keys.delete(key);
    }
    this.busy.value = keys;
  }
}
