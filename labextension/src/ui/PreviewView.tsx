import React from 'react';

import { Preview } from '../model';
import { counted } from '../phrases';
import { Badges } from './Badges';
import { focusOnMount } from './hooks';
import { Icon } from './icons';
import { ResumeButton } from './ResumeButton';
import { Transcript } from './Transcript';

type PreviewViewProps = {
  preview: Preview;
  now_ms: number;
  wait_s: number;
  busy: boolean;
  isCurrent: boolean;
  onBack: () => void;
  onResume: () => void;
};

/** A stored session to read, without opening it. */
export function PreviewView(props: PreviewViewProps): JSX.Element {
  const { detail } = props.preview;
  return (
    <div className="jp-jido-preview" data-testid="jido-preview-view">
      <div className="jp-jido-preview-head">
        <button
          type="button"
          className="jp-jido-button jp-jido-mod-icon"
          data-testid="jido-back"
          aria-label="Back to the sessions"
          title="Back"
          ref={focusOnMount}
          onClick={props.onBack}
        >
          <Icon name="back" />
        </button>
        <div className="jp-jido-heading" title={detail?.title}>
          {detail?.title ?? 'Loading…'}
        </div>
        {detail && !props.isCurrent && (
          <ResumeButton
            title={detail.title}
            wait_s={props.wait_s}
            busy={props.busy}
            onResume={props.onResume}
          />
        )}
      </div>
      {detail && (
        <>
          <div className="jp-jido-preview-facts">
            <span className="jp-jido-faint">
              {counted(detail.message_count, 'message')}
              {detail.model && ` · ${detail.model}`}
            </span>
            <Badges session={detail} isCurrent={props.isCurrent} />
            {detail.problems.map((sentence, index) => (
              <p key={index} className="jp-jido-row-problem">
                {sentence}
              </p>
            ))}
          </div>
          <Transcript messages={detail.messages} now_ms={props.now_ms} />
        </>
      )}
    </div>
  );
}
