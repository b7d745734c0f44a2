import React from 'react';

import { tokens } from '../highlight';
import { printable } from '../printable';

/** Python that a tool runs, coloured as in an answer, with nothing in it that could disguise the rest. */
export function Code({ source, label }: { source: string; label: string }): JSX.Element {
  return (
    <pre tabIndex={0} aria-label={label}>
      {tokens(printable(source), 'python').map(({ kind, text }, place) =>
        kind === null ? (
          text
        ) : (
          <span key={place} className={`jp-jido-code-${kind}`}>
            {text}
          </span>
        )
      )}
    </pre>
  );
}
