import React, { useState } from 'react';

import { counted, fileName, fullTime, relativeTime } from '../phrases';
import { Summary } from '../types';
import { Badges } from './Badges';
import { focusOnMount } from './hooks';
import { Icon } from './icons';
import { ResumeButton } from './ResumeButton';

export type SessionRowProps = {
  session: Summary;
  now_ms: number;
  isCurrent: boolean;
  busy: boolean;
  wait_s: number;
  onPreview: () => void;
  onResume: () => void;
  onDelete: () => void;
};

export function SessionRow(props: SessionRowProps): JSX.Element {
  const { session, now_ms, isCurrent, onPreview } = props;
  return (
    <li
      className={`jp-jido-row${isCurrent ? ' jp-jido-mod-current' : ''}`}
      data-testid="jido-session-row"
      data-session-id={session.id}
    >
      <div className="jp-jido-row-head">
        <button
          type="button"
          className="jp-jido-row-title"
          title={session.title}
          aria-label={`Preview ${session.title}`}
          onClick={onPreview}
        >
          {session.title}
        </button>
        <time dateTime={session.updated_at} title={fullTime(session.updated_at)}>
          {relativeTime(session.updated_at, now_ms)}
        </time>
      </div>
      <div className="jp-jido-row-head">
        <span className="jp-jido-row-preview">{session.preview}</span>
        <span className="jp-jido-count">{counted(session.message_count, 'message')}</span>
      </div>
      <Badges session={session} isCurrent={isCurrent} />
      {session.problems.map((sentence, index) => (
        <p
          key={index}
          className={`jp-jido-row-problem${session.state === 'damaged' ? ' jp-jido-mod-damaged' : ''}`}
        >
          {sentence}
        </p>
      ))}
      <RowFoot {...props} />
    </li>
  );
}

/** Notebook and actions; after Delete the question takes their place. */
function RowFoot(props: SessionRowProps): JSX.Element {
  const { session, isCurrent, busy, wait_s, onPreview, onResume, onDelete } = props;
  const [question, setQuestion] = useState<'unasked' | 'asked' | 'declined'>('unasked');
  if (question === 'asked') {
    return (
      <div
        className="jp-jido-row-foot"
        role="group"
        aria-label={`Move ${session.title} to trash?`}
        onKeyDown={event => event.key === 'Escape' && setQuestion('declined')}
      >
        <span className="jp-jido-row-question">Move to trash?</span>
        <button
          type="button"
          className="jp-jido-button jp-jido-mod-warn"
          data-testid="jido-confirm-delete"
          aria-label={`Move ${session.title} to trash`}
          ref={focusOnMount}
          onClick={() => {
            setQuestion('unasked');
            onDelete();
          }}
        >
          Move
        </button>
        <button
          type="button"
          className="jp-jido-button"
          aria-label={`Keep ${session.title}`}
          onClick={() => setQuestion('declined')}
        >
          Cancel
        </button>
      </div>
    );
  }
  return (
    <div className="jp-jido-row-foot">
      <span className="jp-jido-row-notebook" title={session.notebook ?? undefined}>
        {session.notebook && fileName(session.notebook)}
      </span>
      <button
        type="button"
        className="jp-jido-button jp-jido-mod-icon"
        data-testid="jido-preview"
        aria-label={`Preview ${session.title}`}
        title="Preview"
        onClick={onPreview}
      >
        <Icon name="eye" />
      </button>
      <button
        type="button"
        className="jp-jido-button jp-jido-mod-icon"
        data-testid="jido-delete"
        aria-label={`Delete ${session.title}`}
        title="Move to trash"
        disabled={busy}
        ref={question === 'declined' ? focusOnMount : undefined}
        onClick={() => setQuestion('asked')}
      >
        <Icon name="trash" />
      </button>
      {!isCurrent && session.state !== 'damaged' && (
        <ResumeButton title={session.title} wait_s={wait_s} busy={busy} onResume={onResume} />
      )}
    </div>
  );
}
