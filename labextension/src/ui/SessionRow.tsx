import React, { KeyboardEvent, memo, useState } from 'react';

import { marked } from '../listing';
import { ISessionsModel } from '../model';
import { counted, fileName, fullTime, relativeTime } from '../phrases';
import { Hit } from '../types';
import { Badges } from './Badges';
import { Button } from './Button';
import { Field } from './Field';
import { focusOnMount } from './hooks';
import { ResumeButton } from './ResumeButton';

export type SessionRowProps = {
  hit: Hit;
  sessions: ISessionsModel;
  /** What was searched for; marked in the text. */
  query: string;
  isTrashed: boolean;
  isCurrent: boolean;
  /** The one row of the list that Tab comes to. */
  isActive: boolean;
  now_ms: number;
  busy: boolean;
  wait_s: number;
};

/** What the row asks for in place of its actions. */
type Asking = 'nothing' | 'rename' | 'tag' | 'delete' | 'declined';

export const SessionRow = memo(function SessionRow(props: SessionRowProps): JSX.Element {
  const { hit, sessions, now_ms, isCurrent, isActive, isTrashed, query } = props;
  const { session } = hit;
  const [asking, setAsking] = useState<Asking>('nothing');
  const open = (): void => {
    if (!isTrashed) {
      void sessions.openPreview(session.id);
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.target !== event.currentTarget) {
      return;
    }
    if (event.key === 'Enter') {
      open();
    } else if (event.key === 'Delete' && !isTrashed) {
      setAsking('delete');
    } else if (event.key === 'F2' && sessions.canEdit && !isTrashed) {
      setAsking('rename');
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <div
      className={`jp-jido-row${isCurrent ? ' jp-jido-mod-current' : ''}`}
      role="listitem"
      data-testid="jido-session-row"
      data-session-id={session.id}
      tabIndex={isActive ? 0 : -1}
      aria-label={session.title}
      onKeyDown={onKeyDown}
    >
      <div className="jp-jido-row-head">
        {asking === 'rename' ? (
          <Field
            label={`New title of ${session.title}`}
            value={session.title}
            onDone={title => {
              setAsking('nothing');
              void sessions.edit(session.id, { title });
            }}
            onCancel={() => setAsking('nothing')}
          />
        ) : (
          <button
            type="button"
            className="jp-jido-row-title"
            title={session.title}
            aria-label={`Preview ${session.title}`}
            tabIndex={-1}
            disabled={isTrashed}
            onClick={open}
          >
            <Marked text={session.title} query={query} />
          </button>
        )}
        <time dateTime={session.updated_at} title={fullTime(session.updated_at)}>
          {relativeTime(session.updated_at, now_ms)}
        </time>
      </div>
      <div className="jp-jido-row-head">
        <span className={`jp-jido-row-preview${hit.snippet ? ' jp-jido-mod-snippet' : ''}`}>
          <Marked text={hit.snippet || session.preview} query={query} />
        </span>
        <span className="jp-jido-count">{counted(session.message_count, 'message')}</span>
      </div>
      {asking === 'tag' ? (
        <Field
          label={`Tags of ${session.title}, with commas between`}
          placeholder="Tags, with commas between"
          value={session.tags.join(', ')}
          onDone={text => {
            setAsking('nothing');
            void sessions.edit(session.id, { tags: text.split(',').map(tag => tag.trim()).filter(Boolean) });
          }}
          onCancel={() => setAsking('nothing')}
        />
      ) : (
        <Badges session={session} isCurrent={isCurrent} />
      )}
      {session.problems.map((sentence, index) => (
        <p
          key={index}
          className={`jp-jido-row-problem${session.state === 'damaged' ? ' jp-jido-mod-damaged' : ''}`}
        >
          {sentence}
        </p>
      ))}
      <RowFoot {...props} asking={asking} onAsk={setAsking} onOpen={open} />
    </div>
  );
});

function Marked({ text, query }: { text: string; query: string }): JSX.Element {
  return <>{marked(text, query).map((piece, place) => (piece.isHit ? <mark key={place}>{piece.text}</mark> : piece.text))}</>;
}

type RowFootProps = SessionRowProps & { asking: Asking; onAsk: (asking: Asking) => void; onOpen: () => void };

/** Notebook and actions; after Delete the question takes their place. */
function RowFoot(props: RowFootProps): JSX.Element {
  const { hit, sessions, isCurrent, isActive, isTrashed, busy, wait_s, asking, onAsk } = props;
  const { session } = hit;
  const { id, title } = session;
  const tabIndex = isActive ? undefined : -1;
  if (asking === 'delete') {
    return <DeleteQuestion {...props} />;
  }
  const notebook = (
    <span className="jp-jido-row-notebook" title={session.notebook ?? undefined}>
      {session.notebook && fileName(session.notebook)}
    </span>
  );
  if (isTrashed) {
    return (
      <div className="jp-jido-row-foot">
        {notebook}
        <Button
          icon="restore"
          label={`Restore ${title}`}
          text="Restore"
          testId="restore"
          disabled={busy}
          tabIndex={tabIndex}
          onClick={() => void sessions.restore(id)}
        />
      </div>
    );
  }
  return (
    <div className="jp-jido-row-foot">
      {notebook}
      <span className="jp-jido-row-actions">
        <Button icon="eye" label={`Preview ${title}`} title="Preview" testId="preview" tabIndex={tabIndex} onClick={props.onOpen} />
        {sessions.canEdit && session.state !== 'damaged' && (
          <>
            <Button
              icon="pin"
              label={session.pinned ? `Unpin ${title}` : `Pin ${title}`}
              title={session.pinned ? 'Unpin' : 'Pin to the top'}
              testId="pin"
              isPressed={session.pinned}
              disabled={busy}
              tabIndex={tabIndex}
              onClick={() => void sessions.edit(id, { pinned: !session.pinned })}
            />
            <Button icon="pen" label={`Rename ${title}`} title="Rename" testId="rename" disabled={busy} tabIndex={tabIndex} onClick={() => onAsk('rename')} />
            <Button icon="tag" label={`Tags of ${title}`} title="Tags" testId="tag" disabled={busy} tabIndex={tabIndex} onClick={() => onAsk('tag')} />
            <Button
              icon="archive"
              label={session.archived ? `Take ${title} out of the archive` : `Archive ${title}`}
              title={session.archived ? 'Out of the archive' : 'Archive'}
              testId="archive"
              isPressed={session.archived}
              disabled={busy}
              tabIndex={tabIndex}
              onClick={() => void sessions.edit(id, { archived: !session.archived })}
            />
          </>
        )}
        {sessions.canFork && session.state !== 'damaged' && (
          <Button
            icon="fork"
            label={`Fork ${title}`}
            title="Go on in a copy"
            testId="fork-session"
            disabled={busy}
            tabIndex={tabIndex}
            onClick={() => void sessions.fork(id)}
          />
        )}
        <Button
          icon="trash"
          label={`Delete ${title}`}
          title="Move to trash"
          testId="delete"
          disabled={busy}
          tabIndex={tabIndex}
          buttonRef={asking === 'declined' ? focusOnMount : undefined}
          onClick={() => onAsk('delete')}
        />
      </span>
      {!isCurrent && session.state !== 'damaged' && (
        <ResumeButton
          title={title}
          wait_s={wait_s}
          busy={busy}
          tabIndex={tabIndex}
          onResume={() => void sessions.resume(id)}
        />
      )}
    </div>
  );
}

function DeleteQuestion({ hit, sessions, onAsk }: RowFootProps): JSX.Element {
  const { id, title } = hit.session;
  return (
    <div
      className="jp-jido-row-foot"
      role="group"
      aria-label={`Move ${title} to trash?`}
      onKeyDown={event => event.key === 'Escape' && onAsk('declined')}
    >
      <span className="jp-jido-row-question">Move to trash?</span>
      <Button
        kind="warn"
        label={`Move ${title} to trash`}
        text="Move"
        testId="confirm-delete"
        buttonRef={focusOnMount}
        onClick={() => {
          onAsk('nothing');
          void sessions.remove(id);
        }}
      />
      <Button label={`Keep ${title}`} text="Cancel" onClick={() => onAsk('declined')} />
    </div>
  );
}
