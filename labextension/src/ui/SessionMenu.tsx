import React from 'react';

import { ISidebarModel } from '../model';
import { Summary } from '../types';
import { Button } from './Button';
import { MenuButton, MenuItem } from './Menu';
import { ResumeButton } from './ResumeButton';
import { Asking, RowActions } from './SessionRow';

const FORMATS: Record<string, string> = {
  json: 'JSON, to import again',
  markdown: 'Markdown, to read',
  ipynb: 'Notebook'
};

/** What can be done with a row of the sidebar: what is done often by a button, the rest by a menu. */
export function rowActions(sessions: ISidebarModel): RowActions {
  return function SidebarRowActions({ session, isCurrent, busy, wait_s, tabIndex, onAsk, onOpen }) {
    const { id, title } = session;
    const isWhole = session.state !== 'damaged';
    return (
      <>
        <span className="jp-jido-row-actions">
          {isWhole && (
            <Button
              icon="pin"
              label={session.pinned ? `Unpin ${title}` : `Pin ${title}`}
              title={session.pinned ? 'Unpin' : 'Pin to the top'}
              testId="pin"
              isPressed={session.pinned}
              disabled={busy}
              tabIndex={tabIndex}
              onClick={() => void sessions.edit(id, { pinned: !session.pinned })}
            />
          )}
          <Button
            icon="trash"
            label={`Delete ${title}`}
            title="Move to trash"
            testId="delete"
            disabled={busy}
            tabIndex={tabIndex}
            onClick={() => void sessions.remove(id)}
          />
          <SessionMenu sessions={sessions} session={session} tabIndex={tabIndex} onAsk={onAsk} onOpen={onOpen} />
        </span>
        {isWhole && !isCurrent && (
          <ResumeChoice sessions={sessions} session={session} busy={busy} wait_s={wait_s} tabIndex={tabIndex} />
        )}
      </>
    );
  };
}

type SessionMenuProps = {
  sessions: ISidebarModel;
  session: Summary;
  tabIndex?: number;
  onAsk: (asking: Asking) => void;
  /** Absent where it is read already. */
  onOpen?: () => void;
};

export function SessionMenu({ sessions, session, tabIndex, onAsk, onOpen }: SessionMenuProps): JSX.Element {
  const { id, title, pinned, archived } = session;
  const edits: MenuItem[] = [
    { label: 'Rename', icon: 'pen', testId: 'rename', act: () => onAsk('rename') },
    { label: 'Tags…', icon: 'tag', testId: 'tag', act: () => onAsk('tag') },
    { label: pinned ? 'Unpin' : 'Pin to the top', icon: 'pin', testId: 'menu-pin', act: () => void sessions.edit(id, { pinned: !pinned }) },
    {
      label: archived ? 'Take out of the archive' : 'Archive',
      icon: 'archive',
      testId: 'archive',
      act: () => void sessions.edit(id, { archived: !archived })
    },
    { label: 'Fork into a copy', icon: 'fork', testId: 'fork-session', act: () => void sessions.fork(id) }
  ];
  const items = async (): Promise<(MenuItem | null)[]> => [
    ...(onOpen ? [{ label: 'Read', icon: 'eye', testId: 'preview', act: onOpen } as const] : []),
    ...(session.state === 'damaged' ? [] : edits),
    null,
    ...exportItems(await sessions.formats(), format => void sessions.export(id, format)),
    null,
    { label: 'Move to trash', icon: 'trash', testId: 'menu-delete', act: () => void sessions.remove(id) }
  ];
  return <MenuButton icon="more" label={`More for ${title}`} title="More" testId="more" tabIndex={tabIndex} items={items} />;
}

export function exportItems(formats: readonly string[], act: (format: string) => void): MenuItem[] {
  return formats.map(format => ({
    label: `Export as ${FORMATS[format] ?? format}`,
    icon: 'download',
    testId: `export-${format}`,
    act: () => act(format)
  }));
}

type ResumeChoiceProps = {
  sessions: ISidebarModel;
  session: Summary;
  busy: boolean;
  wait_s: number;
  tabIndex?: number;
};

/** Resume in the notebook in front, or in another one that is made for it. */
export function ResumeChoice({ sessions, session, busy, wait_s, tabIndex }: ResumeChoiceProps): JSX.Element {
  const { id, title } = session;
  const items: MenuItem[] = [
    {
      label: 'In this notebook',
      testId: 'resume-here',
      isDisabled: sessions.notebook.value === null,
      act: () => void sessions.resume(id)
    },
    { label: 'In a new notebook', testId: 'resume-new', act: () => void sessions.resume(id, { inNew: true }) }
  ];
  return (
    <span className="jp-jido-split">
      <ResumeButton title={title} wait_s={wait_s} busy={busy} tabIndex={tabIndex} onResume={() => void sessions.resume(id)} />
      <MenuButton
        kind="accept"
        icon="unfold"
        label={`Where to resume ${title}`}
        title="Where to resume"
        testId="resume-where"
        disabled={busy || wait_s > 0}
        tabIndex={tabIndex}
        items={() => items}
      />
    </span>
  );
}
