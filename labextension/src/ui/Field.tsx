import React, { useState } from 'react';

import { focusOnMount } from './hooks';

type FieldProps = {
  label: string;
  value: string;
  placeholder?: string;
  /** Enter; the text is trimmed. */
  onDone: (value: string) => void;
  /** Escape, or leaving without a change. */
  onCancel: () => void;
};

/** A text that is changed where it stands: Enter takes it, Escape does not. */
export function Field({ label, value, placeholder, onDone, onCancel }: FieldProps): JSX.Element {
  const [draft, setDraft] = useState(value);
  return (
    <input
      className="jp-jido-field"
      type="text"
      aria-label={label}
      placeholder={placeholder}
      value={draft}
      ref={focusOnMount}
      onChange={event => setDraft(event.target.value)}
      onBlur={() => (draft.trim() === value ? onCancel() : onDone(draft.trim()))}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
          event.preventDefault();
          onDone(draft.trim());
        } else if (event.key === 'Escape') {
          onCancel();
        }
      }}
    />
  );
}
