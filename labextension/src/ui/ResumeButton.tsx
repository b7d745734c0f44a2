import React from 'react';

type ResumeButtonProps = {
  title: string;
  /** Seconds until the limit lets a resume in; 0 when it does. */
  wait_s: number;
  busy: boolean;
  onResume: () => void;
};

export function ResumeButton({ title, wait_s, busy, onResume }: ResumeButtonProps): JSX.Element {
  const waiting = wait_s > 0;
  return (
    <button
      type="button"
      className="jp-jido-button jp-jido-mod-accept"
      data-testid="jido-resume"
      aria-label={waiting ? `Resume ${title} in ${wait_s} seconds` : `Resume ${title}`}
      title={waiting ? 'Too many resumes in a short time' : undefined}
      disabled={busy || waiting}
      onClick={onResume}
    >
      {waiting ? `Resume in ${wait_s} s` : 'Resume'}
    </button>
  );
}
