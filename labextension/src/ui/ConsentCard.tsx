import React from 'react';

import { digits } from '../phrases';
import { printable } from '../printable';
import { Consent } from '../types';
import { Button } from './Button';
import { Code } from './Code';
import { useTrans } from './words';

const SHOWN_LINES = 13; // without scrolling

type ConsentCardProps = { consent: Consent; onSettle: (allow: boolean, always?: boolean) => void };

/** What the assistant wants to do, before it does it. Nothing here is chosen beforehand. */
export function ConsentCard({ consent, onSettle }: ConsentCardProps): JSX.Element {
  const trans = useTrans();
  const { tool, summary, code } = consent;
  const lines = code?.split('\n').length ?? 0;
  return (
    <section className="jp-jido-consent" data-testid="jido-consent" aria-label={trans.__('The assistant asks for leave')}>
      <div role="alert">
        {trans.__('The assistant wants to use')} <strong>{printable(tool)}</strong>: {printable(summary)}
      </div>
      {code !== null && <Code source={code} label={trans.__('The code')} />}
      {lines > SHOWN_LINES && (
        <div className="jp-jido-faint">
          {trans._n('%2 line: scroll to read all of it.', '%2 lines: scroll to read all of it.', lines, digits(lines))}
        </div>
      )}
      <div className="jp-jido-consent-foot">
        <Button
          kind="accept"
          label={trans.__('Allow once')}
          text={trans.__('Allow once')}
          testId="allow"
          onClick={() => onSettle(true)}
        />
        <Button
          label={trans.__('Always allow %1 in this session', printable(tool))}
          text={trans.__('Always in this session')}
          title={trans.__('Until the kernel ends; never stored')}
          testId="allow-always"
          onClick={() => onSettle(true, true)}
        />
        <Button
          label={trans.__('Deny')}
          text={trans.__('Deny')}
          testId="deny"
          onClick={() => onSettle(false)}
        />
      </div>
    </section>
  );
}
