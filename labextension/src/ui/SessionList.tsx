import React from 'react';

import { arranged } from '../listing';
import { counted } from '../phrases';
import { Summary } from '../types';
import { Icon } from './icons';
import { SessionRow } from './SessionRow';

type SessionListProps = {
  sessions: readonly Summary[];
  query: string;
  onQuery: (query: string) => void;
  currentId: string | null;
  now_ms: number;
  wait_s: number;
  busy: ReadonlySet<string>;
  onPreview: (id: string) => void;
  onResume: (id: string) => void;
  onDelete: (id: string) => void;
};

/** All sessions with a search over them. */
export function SessionList(props: SessionListProps): JSX.Element {
  const { sessions, query } = props;
  if (sessions.length === 0) {
    return <EmptyList />;
  }
  const found = arranged(sessions, query);
  const total = counted(sessions.length, 'session');
  return (
    <>
      <div className="jp-jido-search">
        <Icon name="search" />
        <input
          type="search"
          data-testid="jido-search"
          aria-label="Search sessions by title, text or tag"
          placeholder="Search sessions"
          value={query}
          onChange={event => props.onQuery(event.target.value)}
        />
        <span className="jp-jido-count" aria-live="polite">
          {found.length === sessions.length ? total : `${found.length} of ${sessions.length}`}
        </span>
      </div>
      {found.length === 0 ? (
        <p className="jp-jido-empty">No session matches “{query}”.</p>
      ) : (
        <ul className="jp-jido-list" role="list" aria-label="Sessions">
          {found.map(session => (
            <SessionRow
              key={session.id}
              session={session}
              isCurrent={session.id === props.currentId}
              now_ms={props.now_ms}
              wait_s={props.wait_s}
              busy={props.busy.has(session.id)}
              onPreview={() => props.onPreview(session.id)}
              onResume={() => props.onResume(session.id)}
              onDelete={() => props.onDelete(session.id)}
            />
          ))}
        </ul>
      )}
    </>
  );
}

function EmptyList(): JSX.Element {
  return (
    <div className="jp-jido-empty" data-testid="jido-empty">
      <p>
        No sessions yet. In a notebook: <code>%load_ext jido_jupyter</code>, then{' '}
        <code>%%jido</code> and a question.
      </p>
    </div>
  );
}
