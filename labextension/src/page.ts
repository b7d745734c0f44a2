/** What the page around a panel can do for it. JupyterLab and Notebook 7 answer through our extension; elsewhere nobody does. */

export const INSERT_CELL = 'jido:insert-cell';
export const INSERT_CELLS = 'jido:insert-cells'; // of the widget in jido_jupyter/notebook/cells.js
export const TYPESET = 'jido:typeset';
export const SESSION = 'jido:session';

/** True when somebody took it over. */
function ask(element: Element, name: string, detail: unknown): boolean {
  const event = new CustomEvent(name, { bubbles: true, composed: true, cancelable: true, detail });
  return !element.dispatchEvent(event);
}

/** Put code into a new cell below the one that `element` is shown in. */
export function insertCell(element: Element, code: string): boolean {
  return ask(element, INSERT_CELL, { code });
}

/** Say which session is open in the notebook that `element` is shown in, so that it keeps a pointer to it. */
export function tellSession(element: Element, session: string): void {
  ask(element, SESSION, { session });
}

/** Commands with which a formula could do more than look like one. */
const POWERFUL = /\\(href|url|require|style|class|cssId|data|mmlToken|bbox|unicode|def|newcommand|let)(?![a-zA-Z])/;

/** Set formulas; where nobody can, their source stays. */
export function typeset(formulas: Iterable<HTMLElement>): void {
  for (const formula of formulas) {
    if (!POWERFUL.test(formula.textContent ?? '')) {
      ask(formula, TYPESET, null);
    }
  }
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // a page that came over plain HTTP has no clipboard
  }
}

function copyBySelection(text: string): boolean {
  const before = document.activeElement as HTMLElement | null;
  const field = document.createElement('textarea');
  field.value = text;
  field.style.position = 'fixed';
  field.style.opacity = '0';
  document.body.append(field);
  field.select();
  try {
    return document.execCommand('copy');
  } finally {
    field.remove();
    before?.focus();
  }
}
