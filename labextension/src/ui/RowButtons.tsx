/** The buttons that a session's row has in every host. */

import React from 'react';

import { ISessionsModel } from '../model';
import { Summary } from '../types';
import { Button } from './Button';
import { useTrans } from './words';

type RowButtonProps = {
  sessions: ISessionsModel;
  session: Summary;
  busy: boolean;
  tabIndex: number | undefined;
};

export function PinButton({ sessions, session, busy, tabIndex }: RowButtonProps): JSX.Element {
  const trans = useTrans();
  const { id, title, pinned } = session;
  return (
    <Button
      icon="pin"
      label={pinned ? trans.__('Unpin %1', title) : trans.__('Pin %1', title)}
      title={pinned ? trans.__('Unpin') : trans.__('Pin to the top')}
      testId="pin"
      isPressed={pinned}
      disabled={busy}
      tabIndex={tabIndex}
      onClick={() => void sessions.edit(id, { pinned: !pinned })}
    />
  );
}

export function DeleteButton({ sessions, session, busy, tabIndex }: RowButtonProps): JSX.Element {
  const trans = useTrans();
  return (
    <Button
      icon="trash"
      label={trans.__('Delete %1', session.title)}
      title={trans.__('Move to trash')}
      testId="delete"
      disabled={busy}
      tabIndex={tabIndex}
      onClick={() => void sessions.remove(session.id)}
    />
  );
}
