import React, { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { Messages } from '../paged';
import { Entries, Entry } from '../turns';
import { Button } from './Button';
import { MessageActions, MessageView } from './MessageView';
import { VirtualList } from './VirtualList';
import { useTrans } from './words';

const NEAR_BOTTOM_PX = 40;
const PER_BLOCK = 4;
const ESTIMATE_PX = 110;

export type TranscriptProps = {
  messages: Messages;
  /** The id of the message being written, if any. */
  streaming?: string | null;
  /** The id of the tool call that runs, if any. */
  calling?: string | null;
  actions: MessageActions;
  /** Message number `index` came into view; it may not be loaded yet. */
  onNeed: (index: number) => void;
  now_ms: number;
};

/** A conversation of any length; it opens at its end, and stays there while the reader does. */
export function Transcript(props: TranscriptProps): JSX.Element {
  const trans = useTrans();
  const { messages, streaming = null, calling = null, actions, onNeed, now_ms } = props;
  const box = useRef<HTMLDivElement>(null);
  const { isAway, onScroll, toEnd } = useFollowing(box, messages);
  const known = useRef(new Entries());
  const entries = useMemo(() => known.current.of(messages), [messages]);
  // Minutes are enough for "5 min ago", and a steady value spares the messages a repaint per piece of text.
  const minute_ms = Math.floor(now_ms / 60_000) * 60_000;
  const total = messages.length;

  const render = useCallback(
    (entry: Entry | null, index: number) =>
      entry === null ? (
        <div key={index} className="jp-jido-message jp-jido-mod-absent" />
      ) : (
        <MessageView
          key={entry.message.id}
          entry={entry}
          total={total}
          streaming={entry.message.id === streaming}
          calling={calling}
          isLast={index === total - 1}
          actions={actions}
          now_ms={minute_ms}
        />
      ),
    [streaming, calling, actions, minute_ms, total]
  );
  const latest = useRef(messages);
  latest.current = messages;
  const onNear = useCallback(
    (start: number) => {
      const missing = latest.current.slice(start, start + PER_BLOCK).indexOf(null);
      if (missing >= 0) {
        onNeed(start + missing);
      }
    },
    [onNeed]
  );

  return (
    <div className="jp-jido-transcript-frame">
      <div
        ref={box}
        className="jp-jido-transcript"
        role="feed"
        aria-label={trans.__('Messages')}
        aria-busy={streaming !== null}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="jp-jido-messages" role="presentation">
          <VirtualList
            root={box}
            items={entries}
            render={render}
            perBlock={PER_BLOCK}
            estimate_px={ESTIMATE_PX}
            opensAt="end"
            onNear={onNear}
          />
        </div>
      </div>
      {isAway && (
        <div className="jp-jido-to-end">
          <Button
            icon="down"
            text={trans.__('Latest')}
            label={trans.__('To the latest message')}
            testId="to-end"
            onClick={toEnd}
          />
        </div>
      )}
    </div>
  );
}

/** Keep the end in view until the reader scrolls away from it. */
function useFollowing(box: { readonly current: HTMLDivElement | null }, messages: Messages) {
  const follows = useRef(true);
  const last_px = useRef(0);
  const [isAway, setAway] = useState(false);
  const toEnd = useCallback(() => {
    follows.current = true;
    box.current!.scrollTop = box.current!.scrollHeight;
  }, [box]);
  const keep = useCallback(() => {
    if (follows.current && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [box]);
  useLayoutEffect(keep, [keep, messages]);
  useEffect(() => {
    if (typeof ResizeObserver === 'undefined') {
      return;
    }
    const observer = new ResizeObserver(keep);
    observer.observe(box.current!.firstElementChild!);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, [box, keep]);
  const onScroll = useCallback(() => {
    const { scrollHeight, scrollTop, clientHeight } = box.current!;
    if (scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX) {
      follows.current = true;
    } else if (scrollTop < last_px.current) {
      follows.current = false; // the reader went up; a text that grows does not
    }
    last_px.current = scrollTop;
    setAway(!follows.current);
  }, [box]);
  return { isAway, onScroll, toEnd };
}
