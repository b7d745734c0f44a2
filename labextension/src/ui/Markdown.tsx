import React, { MouseEvent, useEffect, useMemo, useRef, useState } from 'react';

import { renderMarkdown } from '../markdown';
import { copyText, insertCell, typeset } from '../page';
import { ITrans } from '../translation';
import { useTrans } from './words';

const SAID_MS = 1500;

/** Text of a model. The only place where HTML is set, and only what the renderer made safe. */
export function Markdown({ source, isGrowing = false }: { source: string; isGrowing?: boolean }): JSX.Element {
  const trans = useTrans();
  const box = useRef<HTMLDivElement>(null);
  const shown = useSettled(source, isGrowing);
  const html = useMemo(() => ({ __html: renderMarkdown(shown, trans) }), [shown, trans]);
  useEffect(() => {
    if (!isGrowing && box.current) {
      typeset(box.current.querySelectorAll<HTMLElement>('.jp-jido-math'));
    }
  }, [html, isGrowing]);
  return (
    <div
      ref={box}
      className="jp-jido-markdown"
      dangerouslySetInnerHTML={html}
      onClick={event => void act(event, trans)}
    />
  );
}

/** A growing text, renewed less often the longer it is: rendering takes time that grows with it. */
function useSettled(source: string, isGrowing: boolean): string {
  const [shown, setShown] = useState(source);
  const latest = useRef(source);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  latest.current = source;
  useEffect(() => {
    if (isGrowing && timer.current === undefined) {
      timer.current = setTimeout(() => {
        timer.current = undefined;
        setShown(latest.current);
      }, source.length / 50);
    }
  }, [source, isGrowing]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return isGrowing ? shown : source;
}

/** A click on one of the buttons that the renderer gave a code block. */
async function act({ target }: MouseEvent<HTMLElement>, trans: ITrans): Promise<void> {
  const button = (target as Element).closest<HTMLElement>('button[data-jido-act]');
  const code = button?.closest('.jp-jido-code')?.querySelector('pre')?.textContent?.replace(/\n$/, '');
  if (!button || code === undefined) {
    return;
  }
  if (button.dataset.jidoAct === 'insert' && insertCell(button, code)) {
    say(button, trans.__('Inserted'));
    return;
  }
  const isCopied = await copyText(code);
  const isForCell = button.dataset.jidoAct === 'insert';
  const copied = isForCell ? trans.__('Copied: paste it into a cell') : trans.__('Copied');
  say(button, isCopied ? copied : trans.__('Select it and copy'));
}

function say(button: HTMLElement, text: string): void {
  button.dataset.jidoLabel ??= button.textContent ?? '';
  button.textContent = text;
  setTimeout(() => (button.textContent = button.dataset.jidoLabel ?? ''), SAID_MS);
}
