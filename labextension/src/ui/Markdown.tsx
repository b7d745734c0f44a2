import React, { useMemo } from 'react';

import { renderMarkdown } from '../markdown';

/** Text of a model. The only place where HTML is set, and only what the renderer made safe. */
export function Markdown({ source }: { source: string }): JSX.Element {
  const html = useMemo(() => ({ __html: renderMarkdown(source) }), [source]);
  return <div className="jp-jido-markdown" dangerouslySetInnerHTML={html} />;
}
