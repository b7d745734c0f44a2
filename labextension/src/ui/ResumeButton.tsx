import React from 'react';

import { Button } from './Button';
import { useTrans } from './words';

type ResumeButtonProps = {
  title: string;
  /** Seconds until the limit lets a resume in; 0 when it does. */
  wait_s: number;
  busy: boolean;
  tabIndex?: number;
  onResume: () => void;
};

export function ResumeButton({ title, wait_s, busy, tabIndex, onResume }: ResumeButtonProps): JSX.Element {
  const trans = useTrans();
  const isWaiting = wait_s > 0;
  return (
    <Button
      kind="accept"
      testId="resume"
      label={isWaiting ? trans.__('Resume %1 in %2 seconds', title, wait_s) : trans.__('Resume %1', title)}
      title={isWaiting ? trans.__('Too many resumes in a short time') : trans.__('Open it here and go on')}
      text={isWaiting ? trans.__('Resume in %1 s', wait_s) : trans.__('Resume')}
      disabled={busy || isWaiting}
      tabIndex={tabIndex}
      onClick={onResume}
    />
  );
}
