import React, { ComponentType, useLayoutEffect } from 'react';

import { Lazy } from '../lazy';
import { Button } from './Button';
import { useObservable } from './hooks';
import { TranscriptProps } from './Transcript';
import { useTrans } from './words';

/**
 * The transcript brings the renderer of Markdown: a third of all our code, which no list needs. `marked` in it is not
 * shared with the host (package.json): a shared module that failed to load comes as a broken one the next time.
 */
export type LazyTranscript = Lazy<ComponentType<TranscriptProps>>;

/** The transcript, as soon as it is loaded; until then what is waited for, or what to do. */
export function lateTranscript(transcript: LazyTranscript): ComponentType<TranscriptProps> {
  return function LateTranscript(props) {
    const trans = useTrans();
    const loading = useObservable(transcript.state);
    // Before the first paint: what failed while nobody needed it is not worth telling.
    useLayoutEffect(() => transcript.ask(), []);
    if (loading.kind === 'here') {
      const { part: Transcript } = loading;
      return <Transcript {...props} />;
    }
    if (loading.kind === 'failed') {
      return (
        <div className="jp-jido-empty" role="alert" data-testid="jido-not-loaded">
          <p>{trans.__('The code that shows messages did not come from the server. Try again, or reload the page.')}</p>
          <Button label={trans.__('Try again')} text={trans.__('Try again')} testId="load-again" onClick={() => transcript.ask()} />
        </div>
      );
    }
    return <p className="jp-jido-empty">{trans.__('Loading…')}</p>;
  };
}
