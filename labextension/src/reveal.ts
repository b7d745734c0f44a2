/** Bringing the sidebar, or a part of it, before the user. */

import { JupyterFrontEnd } from '@jupyterlab/application';
import { Widget } from '@lumino/widgets';

const SEARCH = 'input[type="search"]';
const PATIENCE_MS = 5000; // until a slow server has given the list that stands below the field

const PALETTE_MS = 100; // in which a palette that closes has given the focus back to the notebook

/** What of the sessions is needed to show one. */
export interface IReadable {
  openPreview(id: string): Promise<void>;
  closePreview(): void;
}

export class Reveal {
  constructor(
    private readonly _shell: Pick<JupyterFrontEnd.IShell, 'activateById'>,
    private readonly _sidebar: Widget,
    private readonly _sessions: IReadable
  ) {}

  sidebar(): void {
    // Notebook 7.4 hides a panel that is asked for again.
    if (!this._sidebar.isVisible) {
      this._shell.activateById(this._sidebar.id);
    }
  }

  /** The sidebar with a session to read. */
  async session(id: string): Promise<void> {
    this.sidebar();
    await this._sessions.openPreview(id);
  }

  /** The sidebar with the cursor in its search field. */
  async search(): Promise<void> {
    this.sidebar();
    this._sessions.closePreview();
    const field = await appearing<HTMLInputElement>(this._sidebar.node, SEARCH);
    await new Promise(resolve => setTimeout(resolve, PALETTE_MS));
    field?.focus();
    field?.select();
  }
}

/** The first such element below `root`, as soon as there is one; null when it takes too long. */
function appearing<T extends Element>(root: Element, selector: string): Promise<T | null> {
  return new Promise(resolve => {
    const done = (found: T | null): void => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(found);
    };
    const look = (): void => {
      const found = root.querySelector<T>(selector);
      if (found) {
        done(found);
      }
    };
    const observer = new MutationObserver(look);
    const timer = setTimeout(() => done(null), PATIENCE_MS);
    observer.observe(root, { childList: true, subtree: true });
    look();
  });
}
