/** The one quiet line below a notebook's toolbar that says that it has a session. */

import { Widget } from '@lumino/widgets';

import { countedMessages, fileName, relativeTime } from './phrases';
import { contentsPath, isSamePlace } from './places';
import { ITrans } from './translation';
import { Summary } from './types';

type Choice = 'resume' | 'fork';

type Offer = { text: string; choices: readonly Choice[] };

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
  exists: (path: string) => Promise<boolean>,
  trans: ITrans
): Promise<Offer | null> {
  const count = countedMessages(session.message_count, trans);
  const what = trans.__('“%1” (%2, %3)', session.title, count, relativeTime(session.updated_at, now_ms, trans));
  if (session.state === 'damaged' || isSamePlace(session.owner?.notebook, path, root)) {
    return null;
  }
  if (session.state === 'open') {
    const where = session.owner?.notebook ? fileName(session.owner.notebook) : trans.__('another program');
    return { text: trans.__("This notebook's session %1 is open in %2.", what, where), choices: ['fork'] };
  }
  const home = session.notebook === null ? null : contentsPath(session.notebook, root);
  if (home !== null && !isSamePlace(session.notebook, path, root) && (await exists(home))) {
    return {
      text: trans.__('This notebook looks like a copy of %1, which has a session: %2.', fileName(home), what),
      choices: ['fork', 'resume']
    };
  }
  return { text: trans.__('This notebook has a session: %1.', what), choices: ['resume'] };
}

export class OfferLine extends Widget {
  constructor(offer: Offer, onChoose: (choice: Choice) => void, trans: ITrans) {
    super();
    this.addClass('jp-jido-offer');
    this.node.setAttribute('role', 'status');
    this.node.dataset.testid = 'jido-offer';
    const text = document.createElement('span');
    text.textContent = offer.text;
    text.title = offer.text; // it is cut where the notebook is narrow
    this.node.append(text);
    const words: Record<Choice, [label: string, title: string]> = {
      resume: [trans.__('Resume'), trans.__('Open the session in this notebook and go on')],
      fork: [trans.__('Fork'), trans.__('Go on in a copy of the session; the other notebook keeps its own')]
    };
    for (const choice of offer.choices) {
      this._addButton(...words[choice], () => onChoose(choice));
    }
    this._addButton('✕', trans.__('Not now'), () => undefined).setAttribute('aria-label', trans.__('Not now'));
  }

  private _addButton(label: string, title: string, act: () => void): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.title = title;
    button.addEventListener('click', () => {
      act();
      this.dispose();
    });
    this.node.append(button);
    return button;
  }
}
