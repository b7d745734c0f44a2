import React, { useCallback, useEffect, useMemo, useRef } from 'react';

import { ISidebarModel, SessionsState } from '../model';
import { INotices } from '../notices';
import { Clock, REPAINT_MS, useCountdown, useIdle, useNow, useObservable } from './hooks';
import { DropZone } from './DropZone';
import { GroupedList } from './GroupedList';
import { LazyTranscript, lateTranscript } from './LateTranscript';
import { Notices, StandingProblem } from './Notices';
import { PreviewActionsProps, PreviewView } from './PreviewView';
import { rowsIn } from './Rows';
import { EmptyList, Found, Search } from './SessionList';
import { ResumeChoice, rowActions, SessionMenu } from './SessionMenu';
import { RowActions } from './SessionRow';
import { BulkBar, SidebarTools } from './SidebarTools';
import { useTrans } from './words';

type SidebarAppProps = { sessions: ISidebarModel; notices: INotices; transcript: LazyTranscript; clock: Clock };

/** The sessions at the side of the window. */
export function SidebarApp({ sessions, notices, transcript, clock }: SidebarAppProps): JSX.Element {
  const { connection } = useObservable(sessions.state);
  return (
    <DropZone className="jp-jido-app jp-jido-mod-sidebar" onFiles={files => void sessions.import(files)}>
      {connection.kind === 'lost' && <StandingProblem problem={connection.problem} />}
      <Notices notices={notices} />
      <SidebarView sessions={sessions} transcript={transcript} clock={clock} />
    </DropZone>
  );
}

/** The list, and one session of it to read. */
function SidebarView({ sessions, transcript, clock }: Omit<SidebarAppProps, 'notices'>): JSX.Element {
  const state = useObservable(sessions.state);
  const busy = useObservable(sessions.busy);
  const chosen = useObservable(sessions.selection);
  const now_ms = useNow(clock, REPAINT_MS);
  const wait_s = useCountdown(state.resumeBlockedUntil_ms, clock);
  const Actions = useMemo(() => rowActions(sessions), [sessions]);
  const ReadActions = useMemo(() => previewActions(sessions), [sessions]);
  const Transcript = useMemo(() => lateTranscript(transcript), [transcript]);
  // A preview opens at once then, even when the server has gone.
  useIdle(state.hits !== null, () => transcript.ask());
  const onChoose = useCallback((id: string) => sessions.toggleSelected(id), [sessions]);
  const { preview } = state;
  const box = useRef<HTMLDivElement>(null);
  const read = useRef<string | null>(null);
  useEffect(() => {
    if (preview !== null) {
      read.current = preview.id;
    } else if (read.current !== null) {
      rowsIn(box.current!)
        .find(row => row.dataset.row === read.current)
        ?.focus();
    }
  }, [preview === null]);
  return (
    <>
      {preview !== null && (
        <PreviewView
          preview={preview}
          sessions={sessions}
          now_ms={now_ms}
          wait_s={wait_s}
          busy={busy.has(preview.id)}
          isCurrent={preview.head !== null && sessions.isInFront(preview.head)}
          Transcript={Transcript}
          Actions={ReadActions}
        />
      )}
      {/* It stays where it is while one reads: whoever comes back finds the same place. */}
      <div ref={box} className={`jp-jido-listing${preview === null ? '' : ' jp-jido-mod-behind'}`}>
        <Listing {...{ sessions, state, busy, chosen, now_ms, wait_s, Actions, onChoose }} />
      </div>
    </>
  );
}

type ListingProps = {
  sessions: ISidebarModel;
  state: SessionsState;
  busy: ReadonlySet<string>;
  chosen: ReadonlySet<string> | null;
  now_ms: number;
  wait_s: number;
  Actions: RowActions;
  onChoose: (id: string) => void;
};

/** The search, what can be done with several sessions, and the sessions. */
function Listing(props: ListingProps): JSX.Element {
  const trans = useTrans();
  const { sessions, state, chosen } = props;
  const groups = useObservable(sessions.groups);
  const { hits, find, count, connection } = state;
  const isGrouped = find.text === '' && find.filter === 'all';
  if (hits === null || (isGrouped && groups.length === 0)) {
    return <p className="jp-jido-empty">{connection.kind === 'connecting' && trans.__('Loading sessions…')}</p>;
  }
  const currentId = hits.find(({ session }) => sessions.isInFront(session))?.session.id ?? null;
  return (
    <>
      <Search sessions={sessions} state={state} isGrouped={isGrouped}>
        <SidebarTools sessions={sessions} isChoosing={chosen !== null} />
      </Search>
      {chosen !== null && <BulkBar sessions={sessions} chosen={chosen} />}
      {isGrouped && count === 0 && <EmptyList />}
      {isGrouped ? <GroupedList {...props} /> : <Found {...props} hits={hits} currentId={currentId} />}
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
