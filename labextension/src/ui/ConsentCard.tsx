import React from 'react';

import { counted } from '../phrases';
import { printable } from '../printable';
import { Consent } from '../types';
import { Button } from './Button';
import { Code } from './Code';

const SHOWN_LINES = 13; // without scrolling

type ConsentCardProps = { consent: Consent; onSettle: (allow: boolean, always?: boolean) => void };

/** What the assistant wants to do, before it does it. Nothing here is chosen beforehand. */
export function ConsentCard({ consent, onSettle }: ConsentCardProps): JSX.Element {
  const { tool, summary, code } = consent;
  const lines = code?.split('\n').length ?? 0;
  return (
    <section className="jp-jido-consent" data-testid="jido-consent" aria-label="The assistant asks for leave">
      <div role="alert">
        The assistant wants to use <strong>{printable(tool)}</strong>: {printable(summary)}
      </div>
      {code !== null && <Code source={code} label="The code" />}
      {lines > SHOWN_LINES && <div className="jp-jido-faint">{counted(lines, 'line')}: scroll to read all of it.</div>}
      <div className="jp-jido-consent-foot">
        <Button kind="accept" label="Allow once" text="Allow once" testId="allow" onClick={() => onSettle(true)} />
        <Button
          label={`Always allow ${printable(tool)} in this session`}
          text="Always in this session"
          title="Until the kernel ends; never stored"
          testId="allow-always"
          onClick={() => onSettle(true, true)}
        />
        <Button label="Deny" text="Deny" testId="deny" onClick={() => onSettle(false)} />
      </div>
    </section>
  );
}
