/** The one quiet line below a notebook's toolbar that says that it has a session. */

import { Widget } from '@lumino/widgets';

import { counted, fileName, relativeTime } from './phrases';
import { contentsPath, isSamePlace } from './places';
import { Summary } from './types';

export type Choice = 'resume' | 'fork';

export type Offer = { text: string; choices: readonly Choice[] };

/**
 * What to offer to a notebook that points to a session.
 *
 * @param exists whether a notebook is there, by its contents path.
 * @returns null when there is nothing to offer: the session is open right here.
 */
export async function offerFor(
  session: Summary,
  path: string,
  root: string,
  now_ms: number,
  exists: (path: string) => Promise<boolean>
): Promise<Offer | null> {
  const what = `“${session.title}” (${counted(session.message_count, 'message')}, ${relativeTime(session.updated_at, now_ms)})`;
  if (session.state === 'damaged' || isSamePlace(session.owner?.notebook, path, root)) {
    return null;
  }
  if (session.state === 'open') {
    const where = session.owner?.notebook ? fileName(session.owner.notebook) : 'another program';
    return { text: `This notebook's session ${what} is open in ${where}.`, choices: ['fork'] };
  }
  const home = session.notebook === null ? null : contentsPath(session.notebook, root);
  if (home !== null && !isSamePlace(session.notebook, path, root) && (await exists(home))) {
    return {
      text: `This notebook looks like a copy of ${fileName(home)}, which has a session: ${what}.`,
      choices: ['fork', 'resume']
    };
  }
  return { text: `This notebook has a session: ${what}.`, choices: ['resume'] };
}

const LABELS: Record<Choice, string> = { resume: 'Resume', fork: 'Fork' };
const TITLES: Record<Choice, string> = {
  resume: 'Open the session in this notebook and go on',
  fork: 'Go on in a copy of the session; the other notebook keeps its own'
};

export class OfferLine extends Widget {
  constructor(offer: Offer, onChoose: (choice: Choice) => void) {
    super();
    this.addClass('jp-jido-offer');
    this.node.setAttribute('role', 'status');
    this.node.dataset.testid = 'jido-offer';
    const text = document.createElement('span');
    text.textContent = offer.text;
    this.node.append(text);
    for (const choice of offer.choices) {
      this._addButton(LABELS[choice], TITLES[choice], () => onChoose(choice));
    }
    this._addButton('✕', 'Not now', () => undefined);
  }

  private _addButton(label: string, title: string, act: () => void): void {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.title = title;
    button.setAttribute('aria-label', title);
    button.addEventListener('click', () => {
      act();
      this.dispose();
    });
    this.node.append(button);
  }
}
