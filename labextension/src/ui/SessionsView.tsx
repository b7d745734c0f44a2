import React, { useState } from 'react';

import { ISessionsModel } from '../model';
import { Clock, useCountdown, useNow, useObservable } from './hooks';
import { PreviewView } from './PreviewView';
import { SessionList } from './SessionList';

const REPAINT_MS = 30_000;

type SessionsViewProps = {
  sessions: ISessionsModel;
  /** The session this host has open itself. */
  currentId: string | null;
  clock: Clock;
};

/** The list, or one session of it to read. */
export function SessionsView({ sessions, currentId, clock }: SessionsViewProps): JSX.Element {
  const state = useObservable(sessions.state);
  const now_ms = useNow(clock, REPAINT_MS);
  const wait_s = useCountdown(state.resumeBlockedUntil_ms, clock);
  // Kept here, so that it is still there after a session was read.
  const [query, setQuery] = useState('');
  const { preview } = state;
  if (preview !== null) {
    return (
      <PreviewView
        preview={preview}
        now_ms={now_ms}
        wait_s={wait_s}
        busy={state.busy.has(preview.id)}
        isCurrent={preview.id === currentId}
        onBack={() => sessions.closePreview()}
        onResume={() => void sessions.resume(preview.id)}
      />
    );
  }
  if (state.sessions === null) {
    return (
      <p className="jp-jido-empty">{state.connection.kind === 'connecting' && 'Loading sessions…'}</p>
    );
  }
  return (
    <SessionList
      sessions={state.sessions}
      query={query}
      onQuery={setQuery}
      currentId={currentId}
      now_ms={now_ms}
      wait_s={wait_s}
      busy={state.busy}
      onPreview={id => void sessions.openPreview(id)}
      onResume={id => void sessions.resume(id)}
      onDelete={id => void sessions.remove(id)}
    />
  );
}
