import { IObservable, Observable } from './observable';

export type Loading<T> = { kind: 'absent' } | { kind: 'coming' } | { kind: 'here'; part: T } | { kind: 'failed' };

/** A part of the page's code that is loaded when it is first asked for; a server that is away makes it fail, and no more. */
export class Lazy<T> {
  constructor(private readonly _load: () => Promise<T>) {}

  get state(): IObservable<Loading<T>> {
    return this._state;
  }

  /** Load it, unless it is here or coming; what failed is tried again. */
  ask(): void {
    const { kind } = this._state.value;
    if (kind === 'coming' || kind === 'here') {
      return;
    }
    this._state.value = { kind: 'coming' };
    this._load().then(
      part => (this._state.value = { kind: 'here', part }),
      () => (this._state.value = { kind: 'failed' })
    );
  }

  private readonly _state = new Observable<Loading<T>>({ kind: 'absent' });
}
