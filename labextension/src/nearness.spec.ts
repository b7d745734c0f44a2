// @vitest-environment jsdom

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Nearness } from './nearness';

type Entry = Pick<IntersectionObserverEntry, 'target' | 'isIntersecting'> & { boundingClientRect: { height: number } };

/** A page without layout; the test says what comes near. */
class FakeObserver {
  static last: FakeObserver;
  readonly watched = new Set<Element>();
  constructor(
    private readonly _notice: (entries: Entry[]) => void,
    readonly options: IntersectionObserverInit
  ) {
    FakeObserver.last = this;
  }
  observe = (element: Element) => this.watched.add(element);
  unobserve = (element: Element) => this.watched.delete(element);
  disconnect = () => this.watched.clear();

  play(isIntersecting: boolean, ...elements: Element[]): void {
    this._notice(elements.map(target => ({ target, isIntersecting, boundingClientRect: { height: 42 } })));
  }
}

let frames: (() => void)[] = [];
const frame = (): void => frames.splice(0).forEach(paint => paint());

beforeEach(() => {
  frames = [];
  vi.stubGlobal('IntersectionObserver', FakeObserver);
  vi.stubGlobal('requestAnimationFrame', (paint: () => void) => frames.push(paint));
  document.body.innerHTML = '<div id="root"><button></button><button></button><button></button></div>';
});

function watched(): { nearness: Nearness; elements: Element[]; log: string[]; ends: (() => void)[] } {
  const nearness = new Nearness({ current: document.getElementById('root') });
  const elements = [...document.querySelectorAll('button')];
  const log: string[] = [];
  const ends = elements.map((element, place) =>
    nearness.observe(element, (isNear, height) => log.push(`${place} ${isNear ? 'near' : `far ${height}`}`))
  );
  return { nearness, elements, log, ends };
}

describe('nearness', () => {
  it('shows what comes near one element per frame, the latest first', () => {
    const { elements, log } = watched();

    FakeObserver.last.play(true, ...elements);
    expect(log).toEqual([]);
    frame();
    expect(log).toEqual(['2 near']);
    frame();
    frame();
    expect(log).toEqual(['2 near', '1 near', '0 near']);
    expect(frames).toEqual([]);
  });

  it('does not show what went past before its frame came', () => {
    const { elements, log } = watched();

    FakeObserver.last.play(true, ...elements);
    FakeObserver.last.play(false, elements[2]);
    frame();

    expect(log).toEqual(['2 far 42', '1 near']);
  });

  it('keeps what has the focus, however far it goes', () => {
    const { elements, log } = watched();
    (elements[1] as HTMLElement).focus();

    FakeObserver.last.play(false, ...elements);

    expect(log).toEqual(['0 far 42', '2 far 42']);
  });

  it('tells nothing of an element that is observed no more', () => {
    const { elements, log, ends } = watched();

    FakeObserver.last.play(true, elements[0]);
    ends[0]();
    frame();

    expect(log).toEqual([]);
    expect(FakeObserver.last.watched).not.toContain(elements[0]);
  });

  it('looks inside of its root, some way beyond its edges, and ends with dispose', () => {
    const { nearness, elements, log } = watched();
    expect(FakeObserver.last.options).toEqual({ root: document.getElementById('root'), rootMargin: '900px 0px' });

    FakeObserver.last.play(true, ...elements);
    nearness.dispose();
    frame();

    expect(log).toEqual([]);
    expect(FakeObserver.last.watched.size).toBe(0);
  });
});
