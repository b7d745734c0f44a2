import React, { KeyboardEvent, useState } from 'react';

import { Icon } from './icons';

type ComposerProps = {
  /** Who answers, as far as known. */
  model: string | null;
  asking: boolean;
  streaming: boolean;
  /** True when the prompt was taken; only then its text goes away. */
  onSend: (prompt: string) => Promise<boolean>;
  onStop: () => void;
};

export function Composer({ model, asking, streaming, onSend, onStop }: ComposerProps): JSX.Element {
  const [draft, setDraft] = useState('');
  const canSend = draft.trim() !== '' && !asking && !streaming;

  const send = async (): Promise<void> => {
    if (canSend && (await onSend(draft.trim()))) {
      setDraft('');
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
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
        aria-label="Prompt"
        placeholder="Ask the assistant"
        rows={2}
        value={draft}
        readOnly={asking}
        onChange={event => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="jp-jido-composer-foot">
        <span className="jp-jido-faint jp-jido-composer-model">{model ?? 'No answer yet'}</span>
        <span className="jp-jido-faint jp-jido-composer-hint">Shift+Enter for a new line</span>
        {streaming ? (
          <button
            type="button"
            className="jp-jido-button"
            data-testid="jido-stop"
            aria-label="Stop the answer"
            onClick={onStop}
          >
            <Icon name="stop" /> Stop
          </button>
        ) : (
          <button
            type="button"
            className="jp-jido-button jp-jido-mod-accept"
            data-testid="jido-send"
            aria-label="Send the prompt"
            disabled={!canSend}
            onClick={() => void send()}
          >
            <Icon name="send" /> Send
          </button>
        )}
      </div>
    </div>
  );
}
