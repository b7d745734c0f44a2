import React, { KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react';

import { Button } from './Button';
import { Icon, IconName } from './icons';

export type MenuItem = { label: string; icon?: IconName; testId?: string; isDisabled?: boolean; act: () => void };

type MenuButtonProps = {
  label: string;
  icon: IconName;
  text?: string;
  title?: string;
  testId: string;
  kind?: 'quiet' | 'tool' | 'accept';
  disabled?: boolean;
  tabIndex?: number;
  /** Asked for each time it opens; null stands for a line between items. */
  items: () => Promise<readonly (MenuItem | null)[]> | readonly (MenuItem | null)[];
};

/** A button with a menu below it, which nothing around it cuts off. */
export function MenuButton(props: MenuButtonProps): JSX.Element {
  const button = useRef<HTMLButtonElement>(null);
  const [items, setItems] = useState<readonly (MenuItem | null)[] | null>(null);
  const close = useCallback((takesFocus: boolean) => {
    setItems(null);
    if (takesFocus) {
      button.current?.focus();
    }
  }, []);
  return (
    <span className="jp-jido-menu-place" data-open={items !== null || undefined}>
      <Button
        {...props}
        hasPopup={items === null ? 'closed' : 'open'}
        buttonRef={button}
        onClick={() => (items === null ? void Promise.resolve(props.items()).then(setItems) : close(true))}
      />
      {items && <Menu label={props.label} items={items} anchor={button} onClose={close} />}
    </span>
  );
}

/** What an old browser cannot put there stands where it can. */
const IN_TOP_LAYER = 'popover' in HTMLElement.prototype ? { popover: 'manual' } : {};

type MenuProps = {
  label: string;
  items: readonly (MenuItem | null)[];
  anchor: { readonly current: HTMLElement | null };
  onClose: (takesFocus: boolean) => void;
};

function Menu({ label, items, anchor, onClose }: MenuProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const menu = box.current!;
    menu.showPopover?.(); // the list scrolls, and would cut it off
    place(menu, anchor.current!.getBoundingClientRect());
    itemsIn(menu)[0]?.focus();
    const leave = (event: Event): void => {
      if (!menu.contains(event.target as Node) && !anchor.current?.contains(event.target as Node)) {
        onClose(false);
      }
    };
    document.addEventListener('pointerdown', leave, true);
    document.addEventListener('scroll', leave, true);
    return () => {
      document.removeEventListener('pointerdown', leave, true);
      document.removeEventListener('scroll', leave, true);
    };
  }, [anchor, onClose]);
  return (
    <div
      ref={box}
      className="jp-jido-menu"
      role="menu"
      aria-label={label}
      {...IN_TOP_LAYER}
      onKeyDown={event => walk(event, onClose)}
      onBlur={event => event.relatedTarget !== null && !box.current?.contains(event.relatedTarget as Node) && onClose(false)}
    >
      {items.map((item, place) =>
        item === null ? (
          <div key={place} className="jp-jido-menu-line" role="separator" />
        ) : (
          <button
            key={place}
            type="button"
            className="jp-jido-menu-item"
            role="menuitem"
            data-testid={item.testId && `jido-${item.testId}`}
            disabled={item.isDisabled}
            tabIndex={-1}
            onClick={() => {
              onClose(true);
              item.act();
            }}
          >
            {item.icon ? <Icon name={item.icon} /> : <span className="jp-jido-icon" />}
            {item.label}
          </button>
        )
      )}
    </div>
  );
}

const MARGIN_PX = 4;

/** Below the anchor, or above where there is more room; within the window. */
function place(menu: HTMLElement, anchor: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.max(MARGIN_PX, Math.min(anchor.right - width, window.innerWidth - width - MARGIN_PX));
  const below = anchor.bottom + 2;
  const isAbove = below + height > window.innerHeight && anchor.top > window.innerHeight - below;
  menu.style.left = `${left}px`;
  menu.style.top = `${isAbove ? Math.max(MARGIN_PX, anchor.top - height - 2) : below}px`;
}

function walk(event: KeyboardEvent<HTMLElement>, onClose: (takesFocus: boolean) => void): void {
  event.stopPropagation();
  const items = itemsIn(event.currentTarget);
  const at = items.indexOf(document.activeElement as HTMLButtonElement);
  const { length } = items;
  const to = { ArrowDown: (at + 1) % length, ArrowUp: (at - 1 + length) % length, Home: 0, End: length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items[to]?.focus();
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault();
    onClose(true);
  }
}

function itemsIn(menu: HTMLElement): HTMLButtonElement[] {
  return [...menu.querySelectorAll<HTMLButtonElement>('[role="menuitem"]:not(:disabled)')];
}
