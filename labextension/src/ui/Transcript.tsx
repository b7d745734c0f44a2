import React, { memo, useLayoutEffect, useRef } from 'react';

import { Message } from '../types';
import { MessageView } from './MessageView';

const NEAR_BOTTOM_PX = 40;

type TranscriptProps = {
  messages: readonly Message[];
  /** The id of the message being written, if any. */
  streaming?: string | null;
  /** Keep the newest text in view while the reader is at the end. */
  follow?: boolean;
  now_ms: number;
};

const StableMessage = memo(MessageView);

export function Transcript({
  messages,
  streaming = null,
  follow = false,
  now_ms
}: TranscriptProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  // Minutes are enough for "5 min ago", and a steady value spares the other messages a repaint per delta.
  const minute_ms = Math.floor(now_ms / 60_000) * 60_000;

  useLayoutEffect(() => {
    if (follow && isAtEnd.current && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [follow, messages]);

  return (
    <div
      ref={box}
      className="jp-jido-transcript"
      role="log"
      aria-label="Messages"
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
      }}
    >
      <ol className="jp-jido-messages">
        {messages.map(message => (
          <StableMessage
            key={message.id}
            message={message}
            streaming={message.id === streaming}
            now_ms={minute_ms}
          />
        ))}
      </ol>
    </div>
  );
}
