import React, { useRef, useState } from 'react';

import { ISidebarModel } from '../model';
import { Button } from './Button';
import { Field } from './Field';
import { MenuButton } from './Menu';
import { exportItems } from './SessionMenu';
import { tagsIn } from './SessionRow';
import { useTrans } from './words';

type ToolsProps = { sessions: ISidebarModel; isChoosing: boolean };

/** Buttons for the list as a whole. */
export function SidebarTools({ sessions, isChoosing }: ToolsProps): JSX.Element {
  const trans = useTrans();
  const input = useRef<HTMLInputElement>(null);
  return (
    <span className="jp-jido-tools">
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept=".json,application/json"
        data-testid="jido-import-files"
        aria-label={trans.__('Files to import')}
        onChange={event => {
          const files = [...(event.target.files ?? [])];
          event.target.value = ''; // the same file may be chosen again
          void sessions.import(files);
        }}
      />
      <Button
        icon="upload"
        label={trans.__('Import sessions from files')}
        title={trans.__('Import; files may be dropped here, too')}
        testId="import"
        onClick={() => input.current?.click()}
      />
      <Button
        icon="choose"
        label={trans.__('Choose sessions')}
        title={trans.__('Choose several, to do the same with all')}
        testId="select"
        isPressed={isChoosing}
        onClick={() => sessions.select(!isChoosing)}
      />
    </span>
  );
}

type BulkBarProps = { sessions: ISidebarModel; chosen: ReadonlySet<string> };

/** What can be done with all chosen sessions. */
export function BulkBar({ sessions, chosen }: BulkBarProps): JSX.Element {
  const trans = useTrans();
  const [isTagging, setTagging] = useState(false);
  const isEmpty = chosen.size === 0;
  return (
    <div className="jp-jido-bulk" role="toolbar" aria-label={trans.__('With the chosen sessions')} data-testid="jido-bulk">
      {isTagging ? (
        <Field
          label={trans.__('Tags for the chosen sessions, with commas between')}
          placeholder={trans.__('Add tags, with commas between')}
          value=""
          onDone={text => {
            setTagging(false);
            void sessions.tagAll(chosen, tagsIn(text));
          }}
          onCancel={() => setTagging(false)}
        />
      ) : (
        <>
          <span className="jp-jido-bulk-count" role="status">
            {isEmpty ? trans.__('Choose sessions') : trans.__('%1 chosen', chosen.size)}
          </span>
          <Button
            icon="archive"
            label={trans.__('Archive the chosen sessions')}
            title={trans.__('Archive')}
            testId="bulk-archive"
            disabled={isEmpty}
            onClick={() => void sessions.archiveAll(chosen)}
          />
          <Button
            icon="tag"
            label={trans.__('Tag the chosen sessions')}
            title={trans.__('Add tags')}
            testId="bulk-tag"
            disabled={isEmpty}
            onClick={() => setTagging(true)}
          />
          <MenuButton
            icon="download"
            label={trans.__('Export the chosen sessions')}
            title={trans.__('Export')}
            testId="bulk-export"
            disabled={isEmpty}
            items={async () => exportItems(await sessions.formats(), trans, format => void sessions.export(chosen, format))}
          />
          <Button
            icon="trash"
            label={trans.__('Move the chosen sessions to the trash')}
            title={trans.__('Move to trash')}
            testId="bulk-delete"
            disabled={isEmpty}
            onClick={() => void sessions.removeAll(chosen)}
          />
          <Button
            label={trans.__('Done')}
            text={trans.__('Done')}
            testId="bulk-done"
            onClick={() => sessions.select(false)}
          />
        </>
      )}
    </div>
  );
}
