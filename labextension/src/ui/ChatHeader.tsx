import React from 'react';

import { ChatState } from '../chat';
import { shortRevision } from '../phrases';
import { Icon, IconName } from './icons';

type ChatHeaderProps = {
  state: ChatState;
  isListShown: boolean;
  onSave: () => void;
  onNew: () => void;
  onClose: () => void;
  onToggleList: () => void;
};

export function ChatHeader(props: ChatHeaderProps): JSX.Element {
  const { session, streaming, saving } = props.state;
  return (
    <header className="jp-jido-header">
      <div className="jp-jido-header-text">
        <div className="jp-jido-heading" data-testid="jido-current-title" title={session?.title}>
          {session?.title ?? 'No session'}
        </div>
        <div
          className="jp-jido-faint"
          data-testid="jido-saved-state"
          title={session ? `Revision ${session.revision}` : undefined}
          aria-live="polite"
        >
          {savedState(props.state)}
        </div>
      </div>
      <div className="jp-jido-toolbar" role="toolbar" aria-label="Session">
        {session && (
          <>
            <ToolButton
              icon="save"
              label="Save"
              testId="save"
              onClick={props.onSave}
              title="Save the session now"
              disabled={saving || streaming !== null}
            />
            <ToolButton
              icon="eject"
              label="Close"
              testId="close"
              onClick={props.onClose}
              title="Save and close, so that another notebook may resume it"
              disabled={streaming !== null}
            />
          </>
        )}
        <ToolButton
          icon="plus"
          label="New"
          testId="new"
          onClick={props.onNew}
          title="Begin a new session"
          disabled={streaming !== null}
        />
        <ToolButton
          icon="list"
          label="Sessions"
          testId="toggle-list"
          onClick={props.onToggleList}
          title="Show or hide all sessions"
          isPressed={props.isListShown}
        />
      </div>
    </header>
  );
}

function savedState({ session, asking, streaming, saving }: ChatState): string {
  if (asking) {
    return 'sending…';
  }
  if (streaming !== null) {
    return 'answering…';
  }
  if (saving) {
    return 'saving…';
  }
  return session
    ? `saved · revision ${shortRevision(session.revision)}`
    : 'ask, or resume one of your sessions';
}

type ToolButtonProps = {
  icon: IconName;
  label: string;
  title: string;
  testId: string;
  disabled?: boolean;
  isPressed?: boolean;
  onClick: () => void;
};

function ToolButton(props: ToolButtonProps): JSX.Element {
  return (
    <button
      type="button"
      className="jp-jido-button jp-jido-mod-tool"
      data-testid={`jido-${props.testId}`}
      aria-label={props.label}
      aria-pressed={props.isPressed}
      title={props.title}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
      <span className="jp-jido-tool-label">{props.label}</span>
    </button>
  );
}
