import React, { KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react';

import { Filter } from '../listing';
import { ISessionsModel, SessionsState } from '../model';
import { counted } from '../phrases';
import { Hit } from '../types';
import { Icon } from './icons';
import { SessionRow } from './SessionRow';
import { VirtualList } from './VirtualList';

const SEARCH_MS = 200;
const PER_BLOCK = 5;
const ESTIMATE_PX = 86;

const FILTERS: Record<Filter, string> = {
  all: 'All',
  notebook: 'This notebook',
  open: 'Open',
  pinned: 'Pinned',
  archived: 'Archived',
  trashed: 'Trash'
};

type SessionListProps = {
  sessions: ISessionsModel;
  state: SessionsState;
  hits: readonly Hit[];
  busy: ReadonlySet<string>;
  currentId: string | null;
  now_ms: number;
  wait_s: number;
};

/** All sessions with a search over them; the arrow keys walk through the rows. */
export function SessionList(props: SessionListProps): JSX.Element {
  const { sessions, state, hits, busy, currentId, wait_s } = props;
  const { find, count, hasMore, refusal } = state;
  const box = useRef<HTMLDivElement>(null);
  const [activeId, setActiveId] = useState<string | null>(null);
  const active = hits.some(hit => hit.session.id === activeId) ? activeId : (hits[0]?.session.id ?? null);
  const minute_ms = Math.floor(props.now_ms / 60_000) * 60_000;
  const render = useCallback(
    (hit: Hit) => (
      <SessionRow
        key={hit.session.id}
        hit={hit}
        sessions={sessions}
        query={find.text}
        isTrashed={find.filter === 'trashed'}
        isCurrent={hit.session.id === currentId}
        isActive={hit.session.id === active}
        now_ms={minute_ms}
        wait_s={wait_s}
        busy={busy.has(hit.session.id)}
      />
    ),
    [sessions, find, currentId, active, minute_ms, wait_s, busy]
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
  if (count === 0 && hits.length === 0 && find.text === '' && find.filter === 'all') {
    return <EmptyList />;
  }
  return (
    <>
      <Search key="search" sessions={sessions} state={state} />
      {refusal && <p className="jp-jido-row-problem jp-jido-refusal">{refusal}</p>}
      {hits.length === 0 ? (
        <p className="jp-jido-empty">{emptyText(state)}</p>
      ) : (
        <div
          ref={box}
          className="jp-jido-list"
          role="list"
          aria-label="Sessions"
          onFocus={event => setActiveId(rowOf(event.target)?.dataset.sessionId ?? null)}
          onKeyDown={walk}
        >
          <VirtualList
            root={box}
            items={hits}
            render={render}
            perBlock={PER_BLOCK}
            estimate_px={ESTIMATE_PX}
            opensAt="start"
            onNear={onNear}
          />
        </div>
      )}
    </>
  );
}

/** The search field and the chips below it. */
function Search({ sessions, state }: { sessions: ISessionsModel; state: SessionsState }): JSX.Element {
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
        <span className="jp-jido-count" role="status">
          {isNarrowed
            ? `${hits?.length ?? 0}${state.hasMore ? '+' : ''} of ${count.toLocaleString('en')}`
            : counted(count, 'session')}
        </span>
      </div>
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
    </div>
  );
}

function emptyText({ find }: SessionsState): string {
  if (find.text !== '') {
    return `No session matches “${find.text}”.`;
  }
  return find.filter === 'trashed' ? 'The trash is empty.' : 'No session here.';
}

/** Up, Down, Home and End move between rows, as in any list of the system's. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const row = rowOf(event.target);
  if (row === null || (event.target as Element).tagName === 'INPUT') {
    return;
  }
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-session-id]')];
  const place = rows.indexOf(row);
  const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to !== undefined && rows[to]) {
    event.preventDefault();
    rows[to].focus();
  }
}

function rowOf(target: EventTarget): HTMLElement | null {
  return (target as Element).closest<HTMLElement>('[data-session-id]');
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
