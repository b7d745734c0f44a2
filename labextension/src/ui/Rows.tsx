import React, { KeyboardEvent, ReactNode, useCallback, useLayoutEffect, useRef, useState } from 'react';

import { VirtualList } from './VirtualList';

export const PER_BLOCK = 5;
const ESTIMATE_PX = 86;

type RowsProps<T> = {
  label: string;
  items: readonly T[];
  /** What `data-row` of the item's element says. */
  keyOf: (item: T) => string;
  render: (item: T, isActive: boolean) => ReactNode;
  /** Items from number `index` on came into view. */
  onNear: (index: number) => void;
};

/** A list of rows, however many; the arrow keys walk through them, and Tab comes to one. */
export function Rows<T>({ label, items, keyOf, render, onNear }: RowsProps<T>): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const left = useRef<number | null>(null);
  const [activeKey, setActiveKey] = useState<string | null>(null);
  const found = items.findIndex(item => keyOf(item) === activeKey);
  const active = items.length > 0 ? keyOf(items[Math.max(found, 0)]) : null;
  const renderRow = useCallback((item: T) => render(item, keyOf(item) === active), [render, keyOf, active]);
  useLayoutEffect(() => {
    // The row with the focus went away: the next one takes its place.
    if (left.current !== null && found < 0 && document.activeElement === document.body) {
      const next = items[Math.min(left.current, items.length - 1)];
      rowsIn(box.current!).find(row => next !== undefined && row.dataset.row === keyOf(next))?.focus();
    }
  }, [items]);
  return (
    <div
      ref={box}
      className="jp-jido-list"
      role="list"
      aria-label={label}
      onFocus={event => {
        const key = rowOf(event.target)?.dataset.row ?? null;
        left.current = items.findIndex(item => keyOf(item) === key);
        setActiveKey(key);
      }}
      onBlur={event => {
        // Chromium tells of no blur when the focused element is removed.
        left.current = event.relatedTarget === null ? left.current : null;
      }}
      onKeyDown={walk}
    >
      <VirtualList
        root={box}
        items={items}
        render={renderRow}
        perBlock={PER_BLOCK}
        estimate_px={ESTIMATE_PX}
        opensAt="start"
        onNear={onNear}
      />
    </div>
  );
}

/** Up, Down, Home and End move between rows, as in any list of the system's. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const row = rowOf(event.target);
  if (row === null || (event.target as HTMLInputElement).type === 'text') {
    return;
  }
  const rows = rowsIn(event.currentTarget);
  const place = rows.indexOf(row);
  const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined && rows[to]) {
    event.preventDefault();
    rows[to].focus();
  }
}

function rowOf(target: EventTarget): HTMLElement | null {
  return (target as Element).closest<HTMLElement>('[data-row]');
}

export function rowsIn(box: HTMLElement): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>('[data-row]')];
}
