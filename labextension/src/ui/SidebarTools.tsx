import React, { useRef, useState } from 'react';

import { ISidebarModel } from '../model';
import { Button } from './Button';
import { Field } from './Field';
import { MenuButton } from './Menu';
import { exportItems } from './SessionMenu';
import { tagsIn } from './SessionRow';

type ToolsProps = { sessions: ISidebarModel; isChoosing: boolean };

/** Buttons for the list as a whole. */
export function SidebarTools({ sessions, isChoosing }: ToolsProps): JSX.Element {
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
        aria-label="Files to import"
        onChange={event => {
          const files = [...(event.target.files ?? [])];
          event.target.value = ''; // the same file may be chosen again
          void sessions.import(files);
        }}
      />
      <Button
        icon="upload"
        label="Import sessions from files"
        title="Import; files may be dropped here, too"
        testId="import"
        onClick={() => input.current?.click()}
      />
      <Button
        icon="choose"
        label="Choose sessions"
        title="Choose several, to do the same with all"
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
  const [isTagging, setTagging] = useState(false);
  const isEmpty = chosen.size === 0;
  return (
    <div className="jp-jido-bulk" role="toolbar" aria-label="With the chosen sessions" data-testid="jido-bulk">
      {isTagging ? (
        <Field
          label="Tags for the chosen sessions, with commas between"
          placeholder="Add tags, with commas between"
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
            {isEmpty ? 'Choose sessions' : `${chosen.size} chosen`}
          </span>
          <Button icon="archive" label="Archive the chosen sessions" title="Archive" testId="bulk-archive" disabled={isEmpty} onClick={() => void sessions.archiveAll(chosen)} />
          <Button icon="tag" label="Tag the chosen sessions" title="Add tags" testId="bulk-tag" disabled={isEmpty} onClick={() => setTagging(true)} />
          <MenuButton
            icon="download"
            label="Export the chosen sessions"
            title="Export"
            testId="bulk-export"
            disabled={isEmpty}
            items={async () => exportItems(await sessions.formats(), format => void sessions.export(chosen, format))}
          />
          <Button icon="trash" label="Move the chosen sessions to the trash" title="Move to trash" testId="bulk-delete" disabled={isEmpty} onClick={() => void sessions.removeAll(chosen)} />
          <Button label="Done" text="Done" testId="bulk-done" onClick={() => sessions.select(false)} />
        </>
      )}
    </div>
  );
}
