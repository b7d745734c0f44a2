import React from 'react';

import { Button } from './Button';

type ResumeButtonProps = {
  title: string;
  /** Seconds until the limit lets a resume in; 0 when it does. */
  wait_s: number;
  busy: boolean;
  tabIndex?: number;
  onResume: () => void;
};

export function ResumeButton({ title, wait_s, busy, tabIndex, onResume }: ResumeButtonProps): JSX.Element {
  const isWaiting = wait_s > 0;
  return (
    <Button
      kind="accept"
      testId="resume"
      label={isWaiting ? `Resume ${title} in ${wait_s} seconds` : `Resume ${title}`}
      title={isWaiting ? 'Too many resumes in a short time' : 'Open it here and go on'}
      text={isWaiting ? `Resume in ${wait_s} s` : 'Resume'}
      disabled={busy || isWaiting}
      tabIndex={tabIndex}
      onClick={onResume}
    />
  );
}
