import React, { ComponentType, KeyboardEvent, memo, useState } from 'react';

import { cropped, marked } from '../listing';
import { ISessionsModel } from '../model';
import { countedMessages, fileName, fullTime, relativeTime } from '../phrases';
import { Hit, Summary } from '../types';
import { Badges } from './Badges';
import { Button } from './Button';
import { Field } from './Field';
import { ResumeButton } from './ResumeButton';
import { DeleteButton, PinButton } from './RowButtons';
import { useTrans } from './words';

/** What the row asks for in place of what it shows. */
export type Asking = 'nothing' | 'rename' | 'tag';

export type RowActionsProps = {
  session: Summary;
  isCurrent: boolean;
  busy: boolean;
  wait_s: number;
  tabIndex: number | undefined;
  onAsk: (asking: Asking) => void;
  onOpen: () => void;
};

/** The buttons of a row, of a host that has others than the panel. */
export type RowActions = ComponentType<RowActionsProps>;

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
  Actions?: RowActions;
  /** Absent: none is being chosen. */
  isChosen?: boolean;
  onChoose?: (id: string) => void;
};

export const SessionRow = memo(function SessionRow(props: SessionRowProps): JSX.Element {
  const trans = useTrans();
  const { hit, sessions, now_ms, isCurrent, isActive, isTrashed, query, isChosen, onChoose } = props;
  const { session } = hit;
  const [asking, setAsking] = useState<Asking>('nothing');
  const isChoosing = isChosen !== undefined && !isTrashed;
  const open = (): void => {
    if (isChoosing) {
      onChoose?.(session.id);
    } else if (!isTrashed) {
      void sessions.openPreview(session.id);
    }
  };
  const keys: Record<string, (() => void) | false> = {
    Enter: open,
    ' ': isChoosing && open,
    Delete: !isTrashed && (() => void sessions.remove(session.id)),
    F2: sessions.canEdit && !isTrashed && (() => setAsking('rename'))
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const act = event.target === event.currentTarget && keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  };
  return (
    <div
      className={`jp-jido-row${isCurrent ? ' jp-jido-mod-current' : ''}${isChosen ? ' jp-jido-mod-chosen' : ''}`}
      role="listitem"
      data-testid="jido-session-row"
      data-session-id={session.id}
      data-row={session.id}
      tabIndex={isActive ? 0 : -1}
      aria-label={session.title}
      onKeyDown={onKeyDown}
    >
      <div className="jp-jido-row-head">
        {isChoosing && (
          <input
            type="checkbox"
            className="jp-jido-choice"
            aria-label={trans.__('Choose %1', session.title)}
            checked={isChosen}
            tabIndex={-1}
            onChange={open}
          />
        )}
        {asking === 'rename' ? (
          <Field
            label={trans.__('New title of %1', session.title)}
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
            aria-label={trans.__('Preview %1', session.title)}
            tabIndex={-1}
            disabled={isTrashed}
            onClick={open}
          >
            <Marked text={session.title} query={query} />
          </button>
        )}
        <time dateTime={session.updated_at} title={fullTime(session.updated_at)}>
          {relativeTime(session.updated_at, now_ms, trans)}
        </time>
      </div>
      <div className="jp-jido-row-head">
        <span className={`jp-jido-row-preview${hit.snippet ? ' jp-jido-mod-snippet' : ''}`}>
          <Marked text={hit.snippet ? cropped(hit.snippet, query) : session.preview} query={query} />
        </span>
        <span className="jp-jido-count">{countedMessages(session.message_count, trans)}</span>
      </div>
      {asking === 'tag' ? (
        <TagField session={session} sessions={sessions} onEnd={() => setAsking('nothing')} />
      ) : (
        <Badges session={session} isCurrent={isCurrent} most={3} />
      )}
      {session.problems.map((sentence, index) => (
        <p
          key={index}
          className={`jp-jido-row-problem${session.state === 'damaged' ? ' jp-jido-mod-damaged' : ''}`}
        >
          {sentence}
        </p>
      ))}
      <RowFoot {...props} onAsk={setAsking} onOpen={open} />
    </div>
  );
});

/** All tags of a session, to be changed. */
export function TagField({
  session,
  sessions,
  onEnd
}: {
  session: Summary;
  sessions: ISessionsModel;
  onEnd: () => void;
}): JSX.Element {
  const trans = useTrans();
  return (
    <Field
      label={trans.__('Tags of %1, with commas between', session.title)}
      placeholder={trans.__('Tags, with commas between')}
      value={session.tags.join(', ')}
      onDone={text => {
        onEnd();
        void sessions.edit(session.id, { tags: tagsIn(text) });
      }}
      onCancel={onEnd}
    />
  );
}

export function tagsIn(text: string): string[] {
  return text
    .split(',')
    .map(tag => tag.trim())
    .filter(Boolean);
}

function Marked({ text, query }: { text: string; query: string }): JSX.Element {
  return <>{marked(text, query).map((piece, place) => (piece.isHit ? <mark key={place}>{piece.text}</mark> : piece.text))}</>;
}

type RowFootProps = SessionRowProps & { onAsk: (asking: Asking) => void; onOpen: () => void };

/** Notebook and actions. */
function RowFoot(props: RowFootProps): JSX.Element {
  const trans = useTrans();
  const { hit, sessions, isActive, isTrashed, busy, isChosen, Actions } = props;
  const { session } = hit;
  const tabIndex = isActive ? undefined : -1;
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
          label={trans.__('Restore %1', session.title)}
          text={trans.__('Restore')}
          testId="restore"
          disabled={busy}
          tabIndex={tabIndex}
          onClick={() => void sessions.restore(session.id)}
        />
      </div>
    );
  }
  return (
    <div className="jp-jido-row-foot">
      {notebook}
      {isChosen === undefined &&
        (Actions ? (
          <Actions {...props} session={session} tabIndex={tabIndex} />
        ) : (
          <AllActions {...props} tabIndex={tabIndex} />
        ))}
    </div>
  );
}

/** A button for each thing that can be done: there is room for them in a notebook. */
function AllActions(props: RowFootProps & { tabIndex: number | undefined }): JSX.Element {
  const trans = useTrans();
  const { hit, sessions, isCurrent, busy, wait_s, tabIndex, onAsk } = props;
  const { session } = hit;
  const { id, title } = session;
  return (
    <>
      <span className="jp-jido-row-actions">
        <Button
          icon="eye"
          label={trans.__('Preview %1', title)}
          title={trans.__('Preview')}
          testId="preview"
          tabIndex={tabIndex}
          onClick={props.onOpen}
        />
        {sessions.canEdit && session.state !== 'damaged' && (
          <>
            <PinButton sessions={sessions} session={session} busy={busy} tabIndex={tabIndex} />
            <Button
              icon="pen"
              label={trans.__('Rename %1', title)}
              title={trans.__('Rename')}
              testId="rename"
              disabled={busy}
              tabIndex={tabIndex}
              onClick={() => onAsk('rename')}
            />
            <Button
              icon="tag"
              label={trans.__('Tags of %1', title)}
              title={trans.__('Tags')}
              testId="tag"
              disabled={busy}
              tabIndex={tabIndex}
              onClick={() => onAsk('tag')}
            />
            <Button
              icon="archive"
              label={session.archived ? trans.__('Take %1 out of the archive', title) : trans.__('Archive %1', title)}
              title={session.archived ? trans.__('Take out of the archive') : trans.__('Archive')}
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
            label={trans.__('Fork %1', title)}
            title={trans.__('Go on in a copy')}
            testId="fork-session"
            disabled={busy}
            tabIndex={tabIndex}
            onClick={() => void sessions.fork(id)}
          />
        )}
        <DeleteButton sessions={sessions} session={session} busy={busy} tabIndex={tabIndex} />
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
    </>
  );
}
