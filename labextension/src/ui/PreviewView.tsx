import React, { ComponentType, useCallback, useMemo, useState } from 'react';

import { ISessionsModel, Preview } from '../model';
import { countedMessages, sealWords } from '../phrases';
import { Head, Seal } from '../types';
import { Badge, Badges } from './Badges';
import { Button } from './Button';
import { Field } from './Field';
import { focusOnMount } from './hooks';
import { MessageActions } from './MessageView';
import { ResumeButton } from './ResumeButton';
import { Asking, TagField } from './SessionRow';
import { TranscriptProps } from './Transcript';
import { useTrans } from './words';

export type PreviewActionsProps = { head: Head; isCurrent: boolean; busy: boolean; wait_s: number; onAsk: (asking: Asking) => void };

type PreviewViewProps = {
  preview: Preview;
  sessions: ISessionsModel;
  now_ms: number;
  wait_s: number;
  busy: boolean;
  isCurrent: boolean;
  /** What shows the messages; a host may load it late. */
  Transcript: ComponentType<TranscriptProps>;
  /** The buttons beside the title, of a host that has others than the panel. */
  Actions?: ComponentType<PreviewActionsProps>;
};

/** A stored session to read, without opening it. */
export function PreviewView(props: PreviewViewProps): JSX.Element {
  const trans = useTrans();
  const { sessions, preview, busy, wait_s, Transcript, Actions } = props;
  const { id, head, messages } = preview;
  const [asking, setAsking] = useState<Asking>('nothing');
  const actions = useMemo<MessageActions>(
    () => (sessions.canFork ? { onFork: message => void sessions.fork(id, message) } : {}),
    [sessions, id]
  );
  const onNeed = useCallback((index: number) => sessions.need(index), [sessions]);
  return (
    <div
      className="jp-jido-preview"
      data-testid="jido-preview-view"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          sessions.closePreview();
        } else if (event.key === 'F2' && sessions.canEdit) {
          setAsking('rename');
        }
      }}
    >
      <div className="jp-jido-preview-head">
        <Button
          icon="back"
          label={trans.__('Back to the sessions')}
          title={trans.__('Back')}
          testId="back"
          buttonRef={focusOnMount}
          onClick={() => sessions.closePreview()}
        />
        {head && asking === 'rename' ? (
          <Field
            label={trans.__('New title of %1', head.title)}
            value={head.title}
            onDone={title => {
              setAsking('nothing');
              void sessions.edit(id, { title });
            }}
            onCancel={() => setAsking('nothing')}
          />
        ) : (
          <div className="jp-jido-heading" title={head?.title}>
            {head?.title ?? trans.__('Loading…')}
          </div>
        )}
        {head && Actions && <Actions head={head} isCurrent={props.isCurrent} busy={busy} wait_s={wait_s} onAsk={setAsking} />}
        {head && !Actions && !props.isCurrent && (
          <ResumeButton title={head.title} wait_s={wait_s} busy={busy} onResume={() => void sessions.resume(id)} />
        )}
      </div>
      {head && (
        <>
          <div className="jp-jido-preview-facts" tabIndex={0} role="group" aria-label={trans.__('About this session')}>
            <span className="jp-jido-faint">
              {countedMessages(head.message_count, trans)}
              {head.model && ` · ${head.model}`}
            </span>
            {asking === 'tag' ? (
              <TagField session={head} sessions={sessions} onEnd={() => setAsking('nothing')} />
            ) : (
              <Badges session={head} isCurrent={props.isCurrent} most={5} canExpand />
            )}
            {head.seal && (
              <SealNote seal={head.seal} busy={busy || wait_s > 0} onTrust={() => void sessions.resume(id, { trust: true })} />
            )}
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

/** What is proved of it; with the way on where that is not enough to resume it. */
function SealNote({ seal, busy, onTrust }: { seal: Seal; busy: boolean; onTrust: () => void }): JSX.Element {
  const trans = useTrans();
  const { name, sentence } = sealWords(seal, trans);
  const isDoubtful = seal === 'altered' || seal === 'foreign';
  return (
    <div className="jp-jido-seal" data-testid="jido-seal" data-seal={seal}>
      <Badge kind={seal === 'verified' ? 'verified' : 'altered'} text={name} title={sentence} />
      {seal !== 'verified' && <p className="jp-jido-row-problem">{sentence}</p>}
      {isDoubtful && (
        <Button
          kind="warn"
          label={trans.__('Trust and resume')}
          text={trans.__('Trust and resume')}
          testId="trust"
          disabled={busy}
          onClick={onTrust}
        />
      )}
    </div>
  );
}
