import React, { useEffect } from 'react';

import { ISessionsModel } from '../model';
import { Clock, REPAINT_MS, useCountdown, useNow, useObservable } from './hooks';
import { PreviewView } from './PreviewView';
import { SessionList } from './SessionList';
import { Transcript } from './Transcript';
import { useTrans } from './words';

type SessionsViewProps = {
  sessions: ISessionsModel;
  /** The session this host has open itself. */
  currentId: string | null;
  clock: Clock;
};

/** The list, or one session of it to read. */
export function SessionsView({ sessions, currentId, clock }: SessionsViewProps): JSX.Element {
  const trans = useTrans();
  const state = useObservable(sessions.state);
  const busy = useObservable(sessions.busy);
  const now_ms = useNow(clock, REPAINT_MS);
  const wait_s = useCountdown(state.resumeBlockedUntil_ms, clock);
  useEffect(() => sessions.watch(), [sessions]);
  const { preview } = state;
  if (preview !== null) {
    return (
      <PreviewView
        preview={preview}
        sessions={sessions}
        now_ms={now_ms}
        wait_s={wait_s}
        busy={busy.has(preview.id)}
        isCurrent={preview.id === currentId}
        Transcript={Transcript}
      />
    );
  }
  if (state.hits === null) {
    return (
      <p className="jp-jido-empty">{state.connection.kind === 'connecting' && trans.__('Loading sessions…')}</p>
    );
  }
  return (
    <SessionList
      sessions={sessions}
      state={state}
      hits={state.hits}
      busy={busy}
      currentId={currentId}
      now_ms={now_ms}
      wait_s={wait_s}
    />
  );
}
