/** A value which can be read at any time and tells when it is replaced. */
export interface IObservable<T> {
  readonly value: T;
  /** Calls `listener` after each change; returns the function which ends that. */
  subscribe(listener: () => void): () => void;
}

export class Observable<T> implements IObservable<T> {
  constructor(private _value: T) {}

  get value(): T {
    return this._value;
  }

  set value(next: T) {
    if (next === this._value) {
      return;
    }
    this._value = next;
    for (const listener of [...this._listeners]) {
      listener();
    }
  }

  subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  private readonly _listeners = new Set<() => void>();
}
