import React from 'react';

import { ISidebarModel } from '../model';
import { ITrans } from '../translation';
import { Summary } from '../types';
import { MenuButton, MenuItem } from './Menu';
import { ResumeButton } from './ResumeButton';
import { DeleteButton, PinButton } from './RowButtons';
import { Asking, RowActions } from './SessionRow';
import { useTrans } from './words';

/** What can be done with a row of the sidebar: what is done often by a button, the rest by a menu. */
export function rowActions(sessions: ISidebarModel): RowActions {
  return function SidebarRowActions({ session, isCurrent, busy, wait_s, tabIndex, onAsk, onOpen }) {
    const isWhole = session.state !== 'damaged';
    return (
      <>
        <span className="jp-jido-row-actions">
          {isWhole && <PinButton sessions={sessions} session={session} busy={busy} tabIndex={tabIndex} />}
          <DeleteButton sessions={sessions} session={session} busy={busy} tabIndex={tabIndex} />
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
  const trans = useTrans();
  const { id, title, pinned, archived } = session;
  const edits: MenuItem[] = [
    { label: trans.__('Rename'), icon: 'pen', testId: 'rename', act: () => onAsk('rename') },
    { label: trans.__('Tags…'), icon: 'tag', testId: 'tag', act: () => onAsk('tag') },
    {
      label: pinned ? trans.__('Unpin') : trans.__('Pin to the top'),
      icon: 'pin',
      testId: 'menu-pin',
      act: () => void sessions.edit(id, { pinned: !pinned })
    },
    {
      label: archived ? trans.__('Take out of the archive') : trans.__('Archive'),
      icon: 'archive',
      testId: 'archive',
      act: () => void sessions.edit(id, { archived: !archived })
    },
    { label: trans.__('Fork into a copy'), icon: 'fork', testId: 'fork-session', act: () => void sessions.fork(id) }
  ];
  const items = async (): Promise<(MenuItem | null)[]> => [
    ...(onOpen ? [{ label: trans.__('Read'), icon: 'eye', testId: 'preview', act: onOpen } as const] : []),
    ...(session.state === 'damaged' ? [] : edits),
    null,
    ...exportItems(await sessions.formats(), trans, format => void sessions.export(id, format)),
    null,
    { label: trans.__('Move to trash'), icon: 'trash', testId: 'menu-delete', act: () => void sessions.remove(id) }
  ];
  return (
    <MenuButton
      icon="more"
      label={trans.__('More for %1', title)}
      title={trans.__('More')}
      testId="more"
      tabIndex={tabIndex}
      items={items}
    />
  );
}

export function exportItems(formats: readonly string[], trans: ITrans, act: (format: string) => void): MenuItem[] {
  const names: Record<string, string> = {
    json: trans.__('JSON, to import again'),
    markdown: trans.__('Markdown, to read'),
    ipynb: trans.__('Notebook')
  };
  return formats.map(format => ({
    label: trans.__('Export as %1', names[format] ?? format),
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
  const trans = useTrans();
  const { id, title } = session;
  const items = (): MenuItem[] => [
    {
      label: trans.__('In this notebook'),
      testId: 'resume-here',
      isDisabled: sessions.notebook.value === null,
      act: () => void sessions.resume(id)
    },
    { label: trans.__('In a new notebook'), testId: 'resume-new', act: () => void sessions.resume(id, { inNew: true }) }
  ];
  return (
    <span className="jp-jido-split">
      <ResumeButton title={title} wait_s={wait_s} busy={busy} tabIndex={tabIndex} onResume={() => void sessions.resume(id)} />
      <MenuButton
        kind="accept"
        icon="unfold"
        label={trans.__('Where to resume %1', title)}
        title={trans.__('Where to resume')}
        testId="resume-where"
        disabled={busy || wait_s > 0}
        tabIndex={tabIndex}
        items={items}
      />
    </span>
  );
}
