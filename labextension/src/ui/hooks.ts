import { useEffect, useReducer, useSyncExternalStore } from 'react';

import { IObservable } from '../observable';
import { secondsLeft } from '../phrases';

/** Tells the time [ms]; passed in so that tests own it. */
export type Clock = () => number;

export function useObservable<T>(observable: IObservable<T>): T {
  return useSyncExternalStore(
    listener => observable.subscribe(listener),
    () => observable.value
  );
}

/** A `ref` which moves the focus to an element as it appears. React and Preact differ in `autoFocus`. */
export function focusOnMount(element: HTMLElement | null): void {
  element?.focus();
}

/** How often a view tells "5 min ago" anew. */
export const REPAINT_MS = 30_000;

/** The time, repainted every `period_ms`. */
export function useNow(clock: Clock, period_ms: number): number {
  const [, repaint] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(repaint, period_ms);
    return () => clearInterval(timer);
  }, [period_ms]);
  return clock();
}

const IDLE_MS = 2000; // until a browser that cannot say so (Safari) is taken to be idle

/** Calls `act` once `isDue`, when the browser has nothing else to do. */
export function useIdle(isDue: boolean, act: () => void): void {
  useEffect(() => {
    if (!isDue) {
      return;
    }
    if (typeof requestIdleCallback === 'undefined') {
      const timer = setTimeout(act, IDLE_MS);
      return () => clearTimeout(timer);
    }
    const request = requestIdleCallback(act);
    return () => cancelIdleCallback(request);
  }, [isDue]);
}

/** Whole seconds until `until_ms`, repainted at each full second. */
export function useCountdown(until_ms: number, clock: Clock): number {
  const [, repaint] = useReducer((count: number) => count + 1, 0);
  const now_ms = clock();
  const left = secondsLeft(until_ms, now_ms);
  useEffect(() => {
    if (left === 0) {
      return;
    }
    const timer = setTimeout(repaint, until_ms - now_ms - 1000 * (left - 1));
    return () => clearTimeout(timer);
  });
  return left;
}
