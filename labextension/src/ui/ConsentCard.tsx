import React from 'react';

import { printable } from '../printable';
import { Consent } from '../types';
import { Button } from './Button';

type ConsentCardProps = { consent: Consent; onSettle: (allow: boolean, always?: boolean) => void };

/** What the assistant wants to do, before it does it. Nothing here is chosen beforehand. */
export function ConsentCard({ consent, onSettle }: ConsentCardProps): JSX.Element {
  const { tool, summary, code } = consent;
  return (
    <section className="jp-jido-consent" data-testid="jido-consent" aria-label="The assistant asks for leave">
      <div role="alert">
        The assistant wants to use <strong>{printable(tool)}</strong>: {printable(summary)}
      </div>
      {code !== null && (
        <pre tabIndex={0} aria-label="The code">
          {printable(code)}
        </pre>
      )}
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
