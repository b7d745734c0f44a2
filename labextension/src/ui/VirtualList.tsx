import React, { memo, ReactNode, RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { Nearness } from '../nearness';

type VirtualListProps<T> = {
  /** What scrolls. */
  root: RefObject<HTMLElement | null>;
  items: readonly T[];
  render: (item: T, index: number) => ReactNode;
  /** Items that come and go together. */
  perBlock: number;
  /** Height of an item that was never shown. */
  estimate_px: number;
  /** Where the list is looked at first; that end is there at once. */
  opensAt: 'start' | 'end';
  /** Items from number `index` on came into view. */
  onNear?: (index: number) => void;
};

/** A list of thousands: only what is in view stands in the page, the rest is room of its height. */
export function VirtualList<T>(props: VirtualListProps<T>): JSX.Element {
  const { root, items, perBlock, opensAt, render, estimate_px, onNear } = props;
  const nearness = useMemo(() => new Nearness(root), [root]);
  useEffect(() => () => nearness.dispose(), [nearness]);
  const count = Math.ceil(items.length / perBlock);
  const blocks: JSX.Element[] = [];
  for (let block = 0; block < count; block++) {
    const start = block * perBlock;
    blocks.push(
      <StableBlock
        key={block}
        nearness={nearness}
        items={items.slice(start, start + perBlock)}
        start={start}
        render={render as (item: unknown, index: number) => ReactNode}
        estimate_px={estimate_px}
        isFirst={opensAt === 'start' ? block < 2 : block >= count - 2}
        onNear={onNear}
      />
    );
  }
  return <>{blocks}</>;
}

type BlockProps = {
  nearness: Nearness;
  items: readonly unknown[];
  start: number;
  render: (item: unknown, index: number) => ReactNode;
  estimate_px: number;
  /** Shown without being looked at; new text at the end must not wait for a frame. */
  isFirst: boolean;
  onNear?: (index: number) => void;
};

function Block({ nearness, items, start, render, estimate_px, isFirst, onNear }: BlockProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const height_px = useRef<number | null>(null);
  const [isNear, setNear] = useState(isFirst || !Nearness.isPossible);
  const isShown = isNear || isFirst;
  useEffect(() => {
    if (!Nearness.isPossible) {
      return;
    }
    return nearness.observe(element.current!, (near, height) => {
      if (!near) {
        height_px.current = height;
      }
      setNear(near);
    });
  }, [nearness]);
  useLayoutEffect(() => {
    if (isShown) {
      onNear?.(start);
    }
  }, [isShown, start, items, onNear]);
  const height = height_px.current ?? estimate_px * items.length;
  return (
    <div
      ref={element}
      className="jp-jido-block"
      role="presentation"
      style={isShown ? undefined : { height: `${height}px` }}
    >
      {isShown && items.map((item, place) => render(item, start + place))}
    </div>
  );
}

const StableBlock = memo(
  Block,
  (one, other) =>
    one.render === other.render &&
    one.isFirst === other.isFirst &&
    one.onNear === other.onNear &&
    one.items.length === other.items.length &&
    one.items.every((item, place) => item === other.items[place])
);
