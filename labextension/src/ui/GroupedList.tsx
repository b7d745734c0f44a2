import React, { useCallback, useRef } from 'react';

import { Group, GroupName } from '../groups';
import { ISidebarModel } from '../model';
import { digits, fileName } from '../phrases';
import { Hit } from '../types';
import { useObservable } from './hooks';
import { Icon } from './icons';
import { kindName } from './kinds';
import { PER_BLOCK, Rows } from './Rows';
import { RowActions, SessionRow } from './SessionRow';
import { useTrans } from './words';

type GroupedListProps = {
  sessions: ISidebarModel;
  busy: ReadonlySet<string>;
  now_ms: number;
  wait_s: number;
  Actions: RowActions;
  chosen: ReadonlySet<string> | null;
  onChoose: (id: string) => void;
};

type Item = Group | Hit;

/** Groups that stand below the list, each with a list of its own: who has ten thousand sessions finds them, too. */
const BELOW: readonly GroupName[] = ['archived', 'trashed'];

/** All sessions in their groups, below headings that fold them away. */
export function GroupedList(props: GroupedListProps): JSX.Element {
  const { sessions, busy, wait_s, Actions, chosen, onChoose } = props;
  const groups = useObservable(sessions.groups).filter(({ hits, hasMore }) => hits.length > 0 || hasMore);
  const notebook = useObservable(sessions.notebook);
  const minute_ms = Math.floor(props.now_ms / 60_000) * 60_000;
  const renderHit = useCallback(
    (hit: Hit, isActive: boolean, isTrashed: boolean) => (
      <SessionRow
        key={hit.session.id}
        hit={hit}
        sessions={sessions}
        query=""
        isTrashed={isTrashed}
        isCurrent={sessions.isInFront(hit.session)}
        isActive={isActive}
        now_ms={minute_ms}
        wait_s={wait_s}
        busy={busy.has(hit.session.id)}
        Actions={Actions}
        isChosen={chosen?.has(hit.session.id)}
        onChoose={onChoose}
      />
    ),
    [sessions, minute_ms, wait_s, busy, Actions, chosen, onChoose, notebook]
  );
  const above = groups.filter(({ name }) => !BELOW.includes(name));
  return (
    <>
      <Above groups={above} sessions={sessions} about={notebook} renderHit={renderHit} />
      {groups
        .filter(({ name }) => BELOW.includes(name))
        .map(group => (
          <Dock key={group.name} group={group} sessions={sessions} renderHit={renderHit} />
        ))}
    </>
  );
}

type RenderHit = (hit: Hit, isActive: boolean, isTrashed: boolean) => JSX.Element;

type AboveProps = { groups: readonly Group[]; sessions: ISidebarModel; about: string | null; renderHit: RenderHit };

/** The groups that one works with, in one list. */
function Above({ groups, sessions, about, renderHit }: AboveProps): JSX.Element {
  const trans = useTrans();
  const items = groups.flatMap((group): Item[] => (group.isOpen ? [group, ...group.hits] : [group]));
  const latest = useRef(groups);
  latest.current = groups;
  const render = useCallback(
    (item: Item, isActive: boolean) =>
      'session' in item ? (
        renderHit(item, isActive, false)
      ) : (
        <div key={item.name} role="listitem">
          <Heading
            group={item}
            about={item.name === 'notebook' && about !== null ? fileName(about) : null}
            tabIndex={isActive ? 0 : -1}
            onToggle={() => sessions.toggleGroup(item.name)}
          />
        </div>
      ),
    [sessions, renderHit, about]
  );
  const onNear = useCallback(
    (index: number) => {
      let end = 0;
      for (const { name, hits, hasMore, isOpen } of latest.current) {
        const start = end;
        end += isOpen ? 1 + hits.length : 1;
        if (isOpen && hasMore && index + PER_BLOCK > start && index + 2 * PER_BLOCK >= end) {
          void sessions.moreOf(name);
        }
      }
    },
    [sessions]
  );
  return <Rows label={trans.__('Sessions')} items={items} keyOf={keyOf} render={render} onNear={onNear} />;
}

type DockProps = { group: Group; sessions: ISidebarModel; renderHit: RenderHit };

/** A group below the list. */
function Dock({ group, sessions, renderHit }: DockProps): JSX.Element {
  const { name, hits, hasMore, isOpen } = group;
  const words = kindName(name, useTrans());
  const render = useCallback(
    (hit: Hit, isActive: boolean) => renderHit(hit, isActive, name === 'trashed'),
    [renderHit, name]
  );
  const length = hits.length;
  const onNear = useCallback(
    (index: number) => {
      if (hasMore && index + 2 * PER_BLOCK >= length) {
        void sessions.moreOf(name);
      }
    },
    [sessions, name, hasMore, length]
  );
  return (
    <section className={`jp-jido-dock${isOpen ? ' jp-jido-mod-open' : ''}`} aria-label={words}>
      <Heading group={group} about={null} onToggle={() => sessions.toggleGroup(name)} />
      {isOpen && <Rows label={words} items={hits} keyOf={idOf} render={render} onNear={onNear} />}
    </section>
  );
}

function keyOf(item: Item): string {
  return 'session' in item ? item.session.id : `group ${item.name}`;
}

function idOf({ session }: Hit): string {
  return session.id;
}

type HeadingProps = { group: Group; about: string | null; tabIndex?: number; onToggle: () => void };

function Heading({ group, about, tabIndex, onToggle }: HeadingProps): JSX.Element {
  const { name, hits, hasMore, count, isOpen } = group;
  const words = kindName(name, useTrans());
  const size = count === null ? `${hits.length}${hasMore ? '+' : ''}` : digits(count);
  return (
    <button
      type="button"
      className="jp-jido-group-head"
      data-testid={`jido-group-${name}`}
      data-row={`group ${name}`}
      aria-expanded={isOpen}
      aria-label={`${words}, ${size}`}
      tabIndex={tabIndex}
      onClick={onToggle}
    >
      <Icon name={isOpen ? 'unfold' : 'fold'} />
      <span>{words}</span>
      {about !== null && <span className="jp-jido-group-about">{about}</span>}
      <span className="jp-jido-count">{size}</span>
    </button>
  );
}
