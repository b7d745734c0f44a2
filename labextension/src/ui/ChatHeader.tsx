import React, { useState } from 'react';

import { ChatState, isLostElsewhere } from '../chat';
import { digits, shortRevision } from '../phrases';
import { ITrans } from '../translation';
import { Head } from '../types';
import { Button } from './Button';
import { Field } from './Field';
import { useTrans } from './words';

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
  const trans = useTrans();
  const { session, isAnswering } = props.state;
  const [isRenaming, setRenaming] = useState(false);
  return (
    <div className="jp-jido-header">
      <div className="jp-jido-header-text">
        {session && isRenaming ? (
          <Field
            label={trans.__('Title of the session')}
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
              {session?.title ?? trans.__('No session')}
            </div>
            {session && (
              <Button
                icon="pen"
                label={trans.__('Rename the session')}
                testId="rename-current"
                onClick={() => setRenaming(true)}
              />
            )}
          </div>
        )}
        <div
          className="jp-jido-faint"
          data-testid="jido-saved-state"
          title={session ? trans.__('Revision %1', shortRevision(session.revision)) : undefined}
          role="status"
        >
          {savedState(props.state, props.busy, trans)}
        </div>
      </div>
      <div className="jp-jido-toolbar" role="toolbar" aria-label={trans.__('Session')}>
        {session && (
          <>
            <Button
              kind="tool"
              icon="save"
              label={trans.__('Save')}
              text={trans.__('Save')}
              testId="save"
              onClick={props.onSave}
              title={trans.__('Save the session now; each turn has been saved by itself')}
              disabled={isAnswering || props.busy.has('save')}
            />
            <Button
              kind="tool"
              icon="eject"
              label={trans.__('Close')}
              text={trans.__('Close')}
              testId="close"
              onClick={props.onClose}
              title={trans.__('Save and close, so that another notebook may resume it')}
              disabled={isAnswering}
            />
          </>
        )}
        <Button
          kind="tool"
          icon="plus"
          label={trans.__('New')}
          text={trans.__('New')}
          testId="new"
          onClick={props.onNew}
          title={trans.__('Begin a new session; this one stays stored')}
          disabled={isAnswering}
        />
        <Button
          kind="tool"
          icon="list"
          label={trans.__('Sessions')}
          text={trans.__('Sessions')}
          testId="toggle-list"
          onClick={props.onToggleList}
          title={trans.__('Show or hide all sessions')}
          isPressed={props.isListShown}
        />
      </div>
    </div>
  );
}

function savedState(state: ChatState, busy: ReadonlySet<string>, trans: ITrans): string {
  const { session, isAnswering, isWaiting, consent } = state;
  if (busy.has('ask') && !isAnswering) {
    return trans.__('sending…');
  }
  if (consent !== null) {
    return trans.__('waiting for your answer');
  }
  if (isWaiting) {
    return trans.__('waiting for the kernel: a cell is running');
  }
  if (isAnswering || session?.is_busy) {
    return trans.__('answering…');
  }
  if (busy.has('save')) {
    return trans.__('saving…');
  }
  if (session === null) {
    return trans.__('ask, or resume one of your sessions');
  }
  if (isLostElsewhere(state)) {
    return trans.__('open elsewhere by now');
  }
  return facts(session, trans).join(' · ');
}

function facts(session: Head, trans: ITrans): string[] {
  const told = [session.is_saved === false ? trans.__('not saved yet: press Save') : trans.__('saved')];
  if (session.usage && session.message_count > 0) {
    told.push(tokens(session.usage, trans));
  }
  if (session.redacted) {
    told.push(trans._n('%2 secret taken out', '%2 secrets taken out', session.redacted, digits(session.redacted)));
  }
  return told;
}

function tokens({ input_tokens, output_tokens, unknown }: NonNullable<Head['usage']>, trans: ITrans): string {
  const sum = input_tokens + output_tokens;
  if (sum === 0) {
    return trans.__('tokens unknown');
  }
  const known = trans._n('%2 token', '%2 tokens', sum, digits(sum));
  return unknown > 0 ? trans._n('%3 and %2 answer unknown', '%3 and %2 answers unknown', unknown, digits(unknown), known) : known;
}
