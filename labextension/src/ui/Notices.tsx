import React, { ReactNode } from 'react';

import { INotices } from '../notices';
import { Problem } from '../types';
import { Button } from './Button';
import { useObservable } from './hooks';
import { Icon } from './icons';
import { useTrans } from './words';

/** What happened, until the user dismisses it. */
export function Notices({ notices }: { notices: INotices }): JSX.Element | null {
  const trans = useTrans();
  const shown = useObservable(notices.state);
  if (shown.length === 0) {
    return null;
  }
  return (
    <div className="jp-jido-notices">
      {shown.map(({ topic, kind, title, lines, actions }) => (
        <div
          key={topic}
          className={`jp-jido-notice jp-jido-mod-${kind}`}
          data-testid={kind === 'problem' ? 'jido-problem' : 'jido-notice'}
          role={kind === 'problem' ? 'alert' : 'status'}
        >
          <Icon name={kind === 'problem' ? 'warning' : 'save'} />
          <div className="jp-jido-notice-text">
            <strong>{title}</strong>
            {lines.map((line, index) => (
              <p key={index}>{line}</p>
            ))}
          </div>
          {actions?.map(({ label, act }) => (
            <Button
              key={label}
              label={label}
              text={label}
              onClick={() => {
                notices.dismiss(topic);
                act();
              }}
            />
          ))}
          <Button
            icon="close"
            label={trans.__('Dismiss: %1', title)}
            title={trans.__('Dismiss')}
            onClick={() => notices.dismiss(topic)}
          />
        </div>
      ))}
    </div>
  );
}

/** A state which ends by itself and therefore cannot be dismissed. */
export function StandingProblem({ problem, children }: { problem: Problem; children?: ReactNode }): JSX.Element {
  return (
    <div
      className="jp-jido-notice jp-jido-mod-problem"
      data-testid="jido-problem"
      data-code={problem.code}
      role="alert"
    >
      <Icon name="warning" />
      <div className="jp-jido-notice-text">
        <strong>{problem.title}</strong>
        <p>{problem.detail}</p>
      </div>
      {children}
    </div>
  );
}
