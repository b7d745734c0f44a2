/** The page around the sidebar: its notebook in front, and the user's downloads. */

import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { Observable } from './observable';
import { ISidebarPage } from './sidebarmodel';

const KEPT_MS = 60_000; // a browser may ask the user first

/**
 * @param tracker null in a host without notebooks.
 */
export function pageAround(tracker: INotebookTracker | null): ISidebarPage {
  const notebook = new Observable<string | null>(null);
  const follow = (): void => {
    notebook.value = tracker?.currentWidget?.context.path ?? null;
  };
  const watched = new WeakSet<NotebookPanel>();
  const look = (panel: NotebookPanel | null): void => {
    if (panel && !watched.has(panel)) {
      watched.add(panel);
      panel.context.pathChanged.connect(follow);
    }
    follow();
  };
  tracker?.currentChanged.connect((_, panel) => look(panel));
  look(tracker?.currentWidget ?? null);
  return { notebook, root: PageConfig.getOption('serverRoot'), download };
}

function download(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
