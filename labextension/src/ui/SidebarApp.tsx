import React from 'react';

import { ISessionsModel } from '../model';
import { INotices } from '../notices';
import { Clock, useObservable } from './hooks';
import { Notices, StandingProblem } from './Notices';
import { SessionsView } from './SessionsView';

type SidebarAppProps = { sessions: ISessionsModel; notices: INotices; clock: Clock };

/** The sessions at the side of the window. */
export function SidebarApp({ sessions, notices, clock }: SidebarAppProps): JSX.Element {
  const { connection } = useObservable(sessions.state);
  return (
    <div className="jp-jido-app jp-jido-mod-sidebar">
      {connection.kind === 'lost' && <StandingProblem problem={connection.problem} />}
      <Notices notices={notices} />
      <SessionsView sessions={sessions} currentId={null} clock={clock} />
    </div>
  );
}
