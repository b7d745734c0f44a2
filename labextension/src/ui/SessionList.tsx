import React, { ReactNode, useCallback, useEffect, useRef, useState } from 'react';

import { ISessionsModel, SessionsState } from '../model';
import { digits } from '../phrases';
import { ITrans } from '../translation';
import { Hit } from '../types';
import { Icon } from './icons';
import { kindName } from './kinds';
import { PER_BLOCK, Rows } from './Rows';
import { RowActions, SessionRow } from './SessionRow';
import { useTrans } from './words';

const SEARCH_MS = 200;

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
  const trans = useTrans();
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
        <p className="jp-jido-empty">{emptyText(state, trans)}</p>
      ) : (
        <Rows label={trans.__('Sessions')} items={hits} keyOf={idOf} render={render} onNear={onNear} />
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
  const trans = useTrans();
  const { find, hits, count, isSearching } = state;
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
      {isSearching && trans.__('Searching…')}
      {!isSearching && isNarrowed && trans.__('%1 of %2', `${hits?.length ?? 0}${state.hasMore ? '+' : ''}`, digits(count))}
      {!isSearching && !isNarrowed && trans._n('%2 session', '%2 sessions', count, digits(count))}
    </span>
  );
  return (
    <div className="jp-jido-search-box" role="search">
      <div className="jp-jido-search">
        <Icon name="search" />
        <input
          type="search"
          data-testid="jido-search"
          aria-label={trans.__('Search sessions')}
          placeholder={trans.__('Search sessions')}
          title={trans.__('Words, "a phrase", tag:work, model:gpt, after:2026-11-01')}
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
        <div className="jp-jido-chips" role="group" aria-label={trans.__('Show only')}>
          {sessions.filters.map(filter => (
            <button
              key={filter}
              type="button"
              className="jp-jido-chip"
              data-testid={`jido-filter-${filter}`}
              aria-pressed={find.filter === filter}
              onClick={() => void sessions.search({ filter })}
            >
              {kindName(filter, trans)}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function emptyText({ find }: SessionsState, trans: ITrans): string {
  if (find.text !== '') {
    return trans.__('No session matches “%1”.', find.text);
  }
  return find.filter === 'trashed' ? trans.__('The trash is empty.') : trans.__('No session here.');
}

export function EmptyList(): JSX.Element {
  const trans = useTrans();
  const sentence = trans.__('No sessions yet. In a notebook: %1, then %2 and a question.', '|', '|');
  const [before, between, after] = sentence.split('|');
  return (
    <div className="jp-jido-empty" data-testid="jido-empty">
      <p>
        {before}
        <code>%load_ext jido_jupyter</code>
        {between}
        <code>%%jido</code>
        {after}
      </p>
    </div>
  );
}
