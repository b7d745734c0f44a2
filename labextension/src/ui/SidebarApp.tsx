import React, { useCallback, useMemo } from 'react';

import { ISidebarModel } from '../model';
import { INotices } from '../notices';
import { Clock, useCountdown, useNow, useObservable } from './hooks';
import { DropZone } from './DropZone';
import { GroupedList } from './GroupedList';
import { Notices, StandingProblem } from './Notices';
import { PreviewActionsProps, PreviewView } from './PreviewView';
import { EmptyList, Found, Search } from './SessionList';
import { ResumeChoice, rowActions, SessionMenu } from './SessionMenu';
import { REPAINT_MS } from './SessionsView';
import { BulkBar, SidebarTools } from './SidebarTools';

type SidebarAppProps = { sessions: ISidebarModel; notices: INotices; clock: Clock };

/** The sessions at the side of the window. */
export function SidebarApp({ sessions, notices, clock }: SidebarAppProps): JSX.Element {
  const { connection } = useObservable(sessions.state);
  return (
    <DropZone className="jp-jido-app jp-jido-mod-sidebar" onFiles={files => void sessions.import(files)}>
      {connection.kind === 'lost' && <StandingProblem problem={connection.problem} />}
      <Notices notices={notices} />
      <SidebarView sessions={sessions} clock={clock} />
    </DropZone>
  );
}

/** The list, or one session of it to read. */
function SidebarView({ sessions, clock }: { sessions: ISidebarModel; clock: Clock }): JSX.Element {
  const state = useObservable(sessions.state);
  const busy = useObservable(sessions.busy);
  const chosen = useObservable(sessions.selection);
  const groups = useObservable(sessions.groups);
  const now_ms = useNow(clock, REPAINT_MS);
  const wait_s = useCountdown(state.resumeBlockedUntil_ms, clock);
  const Actions = useMemo(() => rowActions(sessions), [sessions]);
  const ReadActions = useMemo(() => previewActions(sessions), [sessions]);
  const onChoose = useCallback((id: string) => sessions.toggleSelected(id), [sessions]);
  const { preview, hits, find, count, connection } = state;
  if (preview !== null) {
    return (
      <PreviewView
        preview={preview}
        sessions={sessions}
        now_ms={now_ms}
        wait_s={wait_s}
        busy={busy.has(preview.id)}
        isCurrent={preview.head !== null && sessions.isInFront(preview.head)}
        Actions={ReadActions}
      />
    );
  }
  const isGrouped = find.text === '' && find.filter === 'all';
  if (hits === null || (isGrouped && groups.length === 0)) {
    return <p className="jp-jido-empty">{connection.kind === 'connecting' && 'Loading sessions…'}</p>;
  }
  const currentId = hits.find(({ session }) => sessions.isInFront(session))?.session.id ?? null;
  const rows = { sessions, busy, now_ms, wait_s, Actions, chosen, onChoose };
  return (
    <>
      <Search sessions={sessions} state={state} isGrouped={isGrouped}>
        <SidebarTools sessions={sessions} isChoosing={chosen !== null} />
      </Search>
      {chosen !== null && <BulkBar sessions={sessions} chosen={chosen} />}
      {isGrouped && count === 0 && <EmptyList />}
      {isGrouped ? <GroupedList {...rows} /> : <Found {...rows} state={state} hits={hits} currentId={currentId} />}
    </>
  );
}

function previewActions(sessions: ISidebarModel) {
  return function SidebarPreviewActions({ head, isCurrent, busy, wait_s, onAsk }: PreviewActionsProps): JSX.Element {
    return (
      <>
        {!isCurrent && <ResumeChoice sessions={sessions} session={head} busy={busy} wait_s={wait_s} />}
        <SessionMenu sessions={sessions} session={head} onAsk={onAsk} />
      </>
    );
  };
}
