import React, { KeyboardEvent, useState } from 'react';

import { Button } from './Button';
import { useTrans } from './words';

type ComposerProps = {
  /** Who answers, as far as known. */
  model: string | null;
  asking: boolean;
  streaming: boolean;
  /** Nothing can be asked now. */
  disabled?: boolean;
  /** True when the prompt was taken; only then its text goes away. */
  onSend: (prompt: string) => Promise<boolean>;
  onStop: () => void;
};

export function Composer({ model, asking, streaming, disabled, onSend, onStop }: ComposerProps): JSX.Element {
  const trans = useTrans();
  const [draft, setDraft] = useState('');
  const canSend = draft.trim() !== '' && !asking && !streaming && !disabled;

  const send = async (): Promise<void> => {
    if (canSend && (await onSend(draft.trim()))) {
      setDraft('');
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === 'Escape' && streaming) {
      onStop();
      return;
    }
    // Enter inside an input method picks a candidate; it does not send.
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) {
      return;
    }
    event.preventDefault();
    if (event.shiftKey) {
      // JupyterLab denies this line break to every field inside a cell, so it is written by hand.
      const field = event.currentTarget;
      field.setRangeText('\n', field.selectionStart, field.selectionEnd, 'end');
      setDraft(field.value);
    } else {
      void send();
    }
  };

  return (
    <div className="jp-jido-composer">
      <textarea
        data-testid="jido-composer"
        aria-label={trans.__('Prompt')}
        placeholder={trans.__('Ask the assistant')}
        rows={2}
        value={draft}
        readOnly={asking}
        onChange={event => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="jp-jido-composer-foot">
        <span className="jp-jido-faint jp-jido-composer-model">{model ?? trans.__('No answer yet')}</span>
        <span className="jp-jido-faint jp-jido-composer-hint">{trans.__('Shift+Enter for a new line')}</span>
        {streaming ? (
          <Button
            icon="stop"
            label={trans.__('Stop the answer')}
            text={trans.__('Stop')}
            testId="stop"
            onClick={onStop}
          />
        ) : (
          <Button
            kind="accept"
            icon="send"
            label={trans.__('Send the prompt')}
            text={trans.__('Send')}
            testId="send"
            disabled={!canSend}
            onClick={() => void send()}
          />
        )}
      </div>
    </div>
  );
}
