import React, { useState } from 'react';

import { ChatState, isLostElsewhere } from '../chat';
import { counted, shortRevision } from '../phrases';
import { Head } from '../types';
import { Button } from './Button';
import { Field } from './Field';

type ChatHeaderProps = {
  state: ChatState;
  busy: ReadonlySet<string>;
  isListShown: boolean;
  onSave: () => void;
  onNew: () => void;
  onClose: () => void;
  onRename: (title: string) => void;
  onToggleList: () => void;
};

export function ChatHeader(props: ChatHeaderProps): JSX.Element {
  const { session, isAnswering } = props.state;
  const [isRenaming, setRenaming] = useState(false);
  return (
    <div className="jp-jido-header">
      <div className="jp-jido-header-text">
        {session && isRenaming ? (
          <Field
            label="Title of the session"
            value={session.title}
            onDone={title => {
              setRenaming(false);
              props.onRename(title);
            }}
            onCancel={() => setRenaming(false)}
          />
        ) : (
          <div className="jp-jido-title-line">
            <div className="jp-jido-heading" data-testid="jido-current-title" title={session?.title}>
              {session?.title ?? 'No session'}
            </div>
            {session && (
              <Button icon="pen" label="Rename the session" testId="rename-current" onClick={() => setRenaming(true)} />
            )}
          </div>
        )}
        <div
          className="jp-jido-faint"
          data-testid="jido-saved-state"
          title={session ? `Revision ${shortRevision(session.revision)}` : undefined}
          role="status"
        >
          {savedState(props.state, props.busy)}
        </div>
      </div>
      <div className="jp-jido-toolbar" role="toolbar" aria-label="Session">
        {session && (
          <>
            <Button
              kind="tool"
              icon="save"
              label="Save"
              text="Save"
              testId="save"
              onClick={props.onSave}
              title="Save the session now; each turn has been saved by itself"
              disabled={isAnswering || props.busy.has('save')}
            />
            <Button
              kind="tool"
              icon="eject"
              label="Close"
              text="Close"
              testId="close"
              onClick={props.onClose}
              title="Save and close, so that another notebook may resume it"
              disabled={isAnswering}
            />
          </>
        )}
        <Button
          kind="tool"
          icon="plus"
          label="New"
          text="New"
          testId="new"
          onClick={props.onNew}
          title="Begin a new session; this one stays stored"
          disabled={isAnswering}
        />
        <Button
          kind="tool"
          icon="list"
          label="Sessions"
          text="Sessions"
          testId="toggle-list"
          onClick={props.onToggleList}
          title="Show or hide all sessions"
          isPressed={props.isListShown}
        />
      </div>
    </div>
  );
}

function savedState(state: ChatState, busy: ReadonlySet<string>): string {
  const { session, isAnswering, isWaiting, consent } = state;
  if (busy.has('ask') && !isAnswering) {
    return 'sending…';
  }
  if (consent !== null) {
    return 'waiting for your answer';
  }
  if (isWaiting) {
    return 'waiting for the kernel: a cell is running';
  }
  if (isAnswering || session?.is_busy) {
    return 'answering…';
  }
  if (busy.has('save')) {
    return 'saving…';
  }
  if (session === null) {
    return 'ask, or resume one of your sessions';
  }
  if (isLostElsewhere(state)) {
    return 'open elsewhere by now';
  }
  return facts(session).join(' · ');
}

function facts(session: Head): string[] {
  const told = [session.is_saved === false ? 'not saved yet: press Save' : 'saved'];
  if (session.usage && session.message_count > 0) {
    told.push(tokens(session.usage));
  }
  if (session.redacted) {
    told.push(`${counted(session.redacted, 'secret')} taken out`);
  }
  return told;
}

function tokens({ input_tokens, output_tokens, unknown }: NonNullable<Head['usage']>): string {
  const sum = input_tokens + output_tokens;
  if (sum === 0) {
    return 'tokens unknown';
  }
  return `${counted(sum, 'token')}${unknown > 0 ? ` and ${counted(unknown, 'answer')} unknown` : ''}`;
}
