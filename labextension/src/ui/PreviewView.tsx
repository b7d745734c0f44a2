import React, { useCallback, useMemo } from 'react';

import { ISessionsModel, Preview } from '../model';
import { counted } from '../phrases';
import { Badges } from './Badges';
import { Button } from './Button';
import { focusOnMount } from './hooks';
import { MessageActions } from './MessageView';
import { ResumeButton } from './ResumeButton';
import { Transcript } from './Transcript';

type PreviewViewProps = {
  preview: Preview;
  sessions: ISessionsModel;
  now_ms: number;
  wait_s: number;
  busy: boolean;
  isCurrent: boolean;
};

/** A stored session to read, without opening it. */
export function PreviewView(props: PreviewViewProps): JSX.Element {
  const { sessions, preview } = props;
  const { id, head, messages } = preview;
  const actions = useMemo<MessageActions>(
    () => (sessions.canFork ? { onFork: message => void sessions.fork(id, message) } : {}),
    [sessions, id]
  );
  const onNeed = useCallback((index: number) => sessions.need(index), [sessions]);
  return (
    <div
      className="jp-jido-preview"
      data-testid="jido-preview-view"
      onKeyDown={event => event.key === 'Escape' && sessions.closePreview()}
    >
      <div className="jp-jido-preview-head">
        <Button
          icon="back"
          label="Back to the sessions"
          title="Back"
          testId="back"
          buttonRef={focusOnMount}
          onClick={() => sessions.closePreview()}
        />
        <div className="jp-jido-heading" title={head?.title}>
          {head?.title ?? 'Loading…'}
        </div>
        {head && !props.isCurrent && (
          <ResumeButton
            title={head.title}
            wait_s={props.wait_s}
            busy={props.busy}
            onResume={() => void sessions.resume(id)}
          />
        )}
      </div>
      {head && (
        <>
          <div className="jp-jido-preview-facts">
            <span className="jp-jido-faint">
              {counted(head.message_count, 'message')}
              {head.model && ` · ${head.model}`}
            </span>
            <Badges session={head} isCurrent={props.isCurrent} />
            {head.problems.map((sentence, index) => (
              <p key={index} className="jp-jido-row-problem">
                {sentence}
              </p>
            ))}
          </div>
          <Transcript messages={messages} actions={actions} onNeed={onNeed} now_ms={props.now_ms} />
        </>
      )}
    </div>
  );
}
