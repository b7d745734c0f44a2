/** Tells elements whether they are in view or about to be, few at a time, so that fast scrolling never stalls. */

type Listener = (isNear: boolean, height_px: number) => void;

const MARGIN_PX = 900;
/** Elements that come near are shown one per frame: each may have some work to do. */
const PER_FRAME = 1;

export class Nearness {
  constructor(private readonly _root: { readonly current: Element | null }) {}

  /** Without an observer (tests in a page without layout) everything is near. */
  static readonly isPossible = typeof IntersectionObserver !== 'undefined';

  /** Calls `listener` when the element comes near or leaves; returns what ends that. */
  observe(element: Element, listener: Listener): () => void {
    this._observer ??= new IntersectionObserver(this._notice, {
      root: this._root.current,
      rootMargin: `${MARGIN_PX}px 0px`
    });
    this._listeners.set(element, listener);
    this._observer.observe(element);
    return () => {
      this._listeners.delete(element);
      this._coming.delete(element);
      this._observer?.unobserve(element);
    };
  }

  dispose(): void {
    this._observer?.disconnect();
    this._observer = undefined;
    this._coming.clear();
  }

  private readonly _notice = (entries: IntersectionObserverEntry[]): void => {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      if (isIntersecting) {
        this._coming.add(target);
      } else {
        this._coming.delete(target);
        // Whoever has the focus stays.
        if (!target.contains(document.activeElement)) {
          this._listeners.get(target)?.(false, boundingClientRect.height);
        }
      }
    }
    this._schedule();
  };

  private _schedule(): void {
    if (this._coming.size > 0 && !this._isScheduled) {
      this._isScheduled = true;
      requestAnimationFrame(() => {
        this._isScheduled = false;
        // The latest first: the earlier ones may be past already.
        for (const element of [...this._coming].reverse().slice(0, PER_FRAME)) {
          this._coming.delete(element);
          this._listeners.get(element)?.(true, 0);
        }
        this._schedule();
      });
    }
  }

  private _observer: IntersectionObserver | undefined;
  private _isScheduled = false;
  private readonly _listeners = new Map<Element, Listener>();
  private readonly _coming = new Set<Element>();
}
