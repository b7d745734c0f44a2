import React, { Ref } from 'react';

import { Icon, IconName } from './icons';

type ButtonProps = {
  /** What it does, in full; also the tooltip where there is no `title`. */
  label: string;
  icon?: IconName;
  /** Words beside the icon; without them it is an icon alone. */
  text?: string;
  title?: string;
  kind?: 'plain' | 'quiet' | 'tool' | 'accept' | 'warn';
  testId?: string;
  disabled?: boolean;
  isPressed?: boolean;
  /** It has a menu. */
  hasPopup?: 'open' | 'closed';
  tabIndex?: number;
  buttonRef?: Ref<HTMLButtonElement>;
  onClick: () => void;
};

/** Every button of ours. */
export function Button(props: ButtonProps): JSX.Element {
  const { label, icon, text, kind = text === undefined ? 'quiet' : 'plain' } = props;
  const shape = `${kind === 'plain' ? '' : ` jp-jido-mod-${kind}`}${text === undefined ? ' jp-jido-mod-icon' : ''}`;
  return (
    <button
      type="button"
      className={`jp-jido-button${shape}`}
      data-testid={props.testId && `jido-${props.testId}`}
      aria-label={label}
      aria-pressed={props.isPressed}
      aria-haspopup={props.hasPopup && 'menu'}
      aria-expanded={props.hasPopup && props.hasPopup === 'open'}
      title={props.title ?? (text === label ? undefined : label)}
      disabled={props.disabled}
      tabIndex={props.tabIndex}
      ref={props.buttonRef}
      onClick={props.onClick}
    >
      {icon && <Icon name={icon} />}
      {text !== undefined && <span className="jp-jido-button-text">{text}</span>}
    </button>
  );
}
