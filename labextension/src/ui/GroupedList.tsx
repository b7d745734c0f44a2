import React, { useCallback, useMemo } from 'react';

import { Group, GroupName } from '../groups';
import { ISidebarModel } from '../model';
import { fileName } from '../phrases';
import { Hit } from '../types';
import { useObservable } from './hooks';
import { Icon } from './icons';
import { PER_BLOCK, Rows } from './Rows';
import { RowActions, SessionRow } from './SessionRow';

const NAMES: Record<GroupName, string> = {
  notebook: 'This notebook',
  open: 'Open',
  pinned: 'Pinned',
  recent: 'Recent',
  archived: 'Archived',
  trashed: 'Trash'
};

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

/** All sessions in their groups, below headings that fold them away. */
export function GroupedList(props: GroupedListProps): JSX.Element {
  const { sessions, busy, wait_s, Actions, chosen, onChoose } = props;
  const groups = useObservable(sessions.groups);
  const notebook = useObservable(sessions.notebook);
  const minute_ms = Math.floor(props.now_ms / 60_000) * 60_000;
  const { items, ends, trashed } = useMemo(() => listed(groups), [groups]);
  const render = useCallback(
    (item: Item, isActive: boolean) =>
      'session' in item ? (
        <SessionRow
          key={item.session.id}
          hit={item}
          sessions={sessions}
          query=""
          isTrashed={trashed.has(item)}
          isCurrent={sessions.isInFront(item.session)}
          isActive={isActive}
          now_ms={minute_ms}
          wait_s={wait_s}
          busy={busy.has(item.session.id)}
          Actions={Actions}
          isChosen={chosen?.has(item.session.id)}
          onChoose={onChoose}
        />
      ) : (
        <Heading
          key={item.name}
          group={item}
          about={item.name === 'notebook' && notebook !== null ? fileName(notebook) : null}
          isActive={isActive}
          onToggle={() => sessions.toggleGroup(item.name)}
        />
      ),
    [sessions, trashed, minute_ms, wait_s, busy, Actions, chosen, onChoose, notebook]
  );
  const onNear = useCallback(
    (index: number) => {
      for (const { name, start, end } of ends) {
        if (index + PER_BLOCK > start && index + 2 * PER_BLOCK >= end) {
          void sessions.moreOf(name);
        }
      }
    },
    [sessions, ends]
  );
  return <Rows items={items} keyOf={keyOf} render={render} onNear={onNear} />;
}

function keyOf(item: Item): string {
  return 'session' in item ? item.session.id : `group ${item.name}`;
}

/** Headings and rows as they stand below each other, and where groups end that have more. */
function listed(groups: readonly Group[]) {
  const items: Item[] = [];
  const ends: { name: GroupName; start: number; end: number }[] = [];
  const trashed = new Set<Hit>();
  for (const group of groups) {
    if (group.hits.length === 0 && !group.hasMore) {
      continue;
    }
    const start = items.length;
    items.push(group);
    if (group.isOpen) {
      items.push(...group.hits);
      if (group.hasMore) {
        ends.push({ name: group.name, start, end: items.length });
      }
      if (group.name === 'trashed') {
        group.hits.forEach(hit => trashed.add(hit));
      }
    }
  }
  return { items, ends, trashed };
}

type HeadingProps = { group: Group; about: string | null; isActive: boolean; onToggle: () => void };

function Heading({ group, about, isActive, onToggle }: HeadingProps): JSX.Element {
  const { name, hits, hasMore, count, isOpen } = group;
  const size = count === null ? `${hits.length}${hasMore ? '+' : ''}` : count.toLocaleString('en');
  return (
    <div role="listitem" className="jp-jido-group">
      <button
        type="button"
        className="jp-jido-group-head"
        data-testid={`jido-group-${name}`}
        data-row={`group ${name}`}
        aria-expanded={isOpen}
        aria-label={`${NAMES[name]}, ${size}`}
        tabIndex={isActive ? 0 : -1}
        onClick={onToggle}
      >
        <Icon name={isOpen ? 'unfold' : 'fold'} />
        <span>{NAMES[name]}</span>
        {about !== null && <span className="jp-jido-group-about">{about}</span>}
        <span className="jp-jido-count">{size}</span>
      </button>
    </div>
  );
}
