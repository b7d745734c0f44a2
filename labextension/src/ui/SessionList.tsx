import React, { ReactNode, useCallback, useEffect, useRef, useState } from 'react';

import { Filter } from '../listing';
import { ISessionsModel, SessionsState } from '../model';
import { counted } from '../phrases';
import { Hit } from '../types';
import { Icon } from './icons';
import { PER_BLOCK, Rows } from './Rows';
import { RowActions, SessionRow } from './SessionRow';

const SEARCH_MS = 200;

const FILTERS: Record<Filter, string> = {
  all: 'All',
  notebook: 'This notebook',
  open: 'Open',
  pinned: 'Pinned',
  archived: 'Archived',
  trashed: 'Trash'
};

export type SessionListProps = {
  sessions: ISessionsModel;
  state: SessionsState;
  hits: readonly Hit[];
  busy: ReadonlySet<string>;
  currentId: string | null;
  now_ms: number;
  wait_s: number;
  Actions?: RowActions;
  /** Ids of the chosen sessions; absent: none is being chosen. */
  chosen?: ReadonlySet<string> | null;
  onChoose?: (id: string) => void;
};

/** A search over all sessions, and what it found. */
export function SessionList(props: SessionListProps): JSX.Element {
  const { sessions, state, hits } = props;
  const { find, count } = state;
  if (count === 0 && hits.length === 0 && find.text === '' && find.filter === 'all') {
    return <EmptyList />;
  }
  return (
    <>
      <Search key="search" sessions={sessions} state={state} />
      <Found {...props} />
    </>
  );
}

/** What a search found, or why it means nothing. */
export function Found(props: SessionListProps): JSX.Element {
  const { sessions, state, hits, busy, currentId, wait_s, Actions, chosen, onChoose } = props;
  const { find, hasMore, refusal } = state;
  const minute_ms = Math.floor(props.now_ms / 60_000) * 60_000;
  const render = useCallback(
    (hit: Hit, isActive: boolean) => (
      <SessionRow
        key={hit.session.id}
        hit={hit}
        sessions={sessions}
        query={find.text}
        isTrashed={find.filter === 'trashed'}
        isCurrent={hit.session.id === currentId}
        isActive={isActive}
        now_ms={minute_ms}
        wait_s={wait_s}
        busy={busy.has(hit.session.id)}
        Actions={Actions}
        isChosen={chosen?.has(hit.session.id)}
        onChoose={onChoose}
      />
    ),
    [sessions, find, currentId, minute_ms, wait_s, busy, Actions, chosen, onChoose]
  );
  const length = hits.length;
  const onNear = useCallback(
    (index: number) => {
      if (hasMore && index + 2 * PER_BLOCK >= length) {
        void sessions.more();
      }
    },
    [sessions, hasMore, length]
  );
  return (
    <>
      {refusal && <p className="jp-jido-row-problem jp-jido-refusal">{refusal}</p>}
      {hits.length === 0 ? (
        <p className="jp-jido-empty">{emptyText(state)}</p>
      ) : (
        <Rows label="Sessions" items={hits} keyOf={idOf} render={render} onNear={onNear} />
      )}
    </>
  );
}

function idOf({ session }: Hit): string {
  return session.id;
}

type SearchProps = {
  sessions: ISessionsModel;
  state: SessionsState;
  /** Filters are of no use while nothing is searched for: the list has groups. */
  isGrouped?: boolean;
  /** Buttons beside the count. */
  children?: ReactNode;
};

/** The search field and the chips below it. */
export function Search({ sessions, state, isGrouped = false, children }: SearchProps): JSX.Element {
  const { find, hits, count } = state;
  const [draft, setDraft] = useState(find.text);
  const sent = useRef(find.text);
  useEffect(() => {
    if (draft === sent.current) {
      return;
    }
    const timer = setTimeout(() => {
      sent.current = draft;
      void sessions.search({ text: draft });
    }, SEARCH_MS);
    return () => clearTimeout(timer);
  }, [draft, sessions]);
  const isNarrowed = find.text !== '' || find.filter !== 'all';
  const told = (
    <span className="jp-jido-count" role="status">
      {isNarrowed
        ? `${hits?.length ?? 0}${state.hasMore ? '+' : ''} of ${count.toLocaleString('en')}`
        : counted(count, 'session')}
    </span>
  );
  return (
    <div className="jp-jido-search-box" role="search">
      <div className="jp-jido-search">
        <Icon name="search" />
        <input
          type="search"
          data-testid="jido-search"
          aria-label="Search sessions"
          placeholder="Search sessions"
          title={'Words, "a phrase", tag:work, model:gpt, after:2026-11-01'}
          value={draft}
          onChange={event => setDraft(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape' && draft !== '') {
              event.stopPropagation();
              setDraft('');
            }
          }}
        />
        {!children && told}
      </div>
      {children && (
        <div className="jp-jido-search-foot">
          {told}
          {children}
        </div>
      )}
      {!(isGrouped && !isNarrowed) && (
        <div className="jp-jido-chips" role="group" aria-label="Show only">
          {sessions.filters.map(filter => (
            <button
              key={filter}
              type="button"
              className="jp-jido-chip"
              data-testid={`jido-filter-${filter}`}
              aria-pressed={find.filter === filter}
              onClick={() => void sessions.search({ filter })}
            >
              {FILTERS[filter]}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function emptyText({ find }: SessionsState): string {
  if (find.text !== '') {
    return `No session matches “${find.text}”.`;
  }
  return find.filter === 'trashed' ? 'The trash is empty.' : 'No session here.';
}

export function EmptyList(): JSX.Element {
  return (
    <div className="jp-jido-empty" data-testid="jido-empty">
      <p>
        No sessions yet. In a notebook: <code>%load_ext jido_jupyter</code>, then{' '}
        <code>%%jido</code> and a question.
      </p>
    </div>
  );
}
