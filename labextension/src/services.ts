/** What our panel asks the page for, answered by JupyterLab and Notebook 7. */

import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ILatexTypesetter } from '@jupyterlab/rendermime';

import { INSERT_CELL, SESSION, TYPESET } from './page';

export function answerPanels(
  tracker: INotebookTracker | null,
  typesetter: ILatexTypesetter | null,
  onSession: (panel: NotebookPanel, session: string) => void
): void {
  document.addEventListener(INSERT_CELL, event => {
    const { code } = (event as CustomEvent<{ code: string }>).detail;
    const panel = panelAround(tracker, event.target as Node) ?? tracker?.currentWidget;
    if (panel?.content.model) {
      insertBelow(panel, event.target as Node, code);
      event.preventDefault();
    }
  });
  document.addEventListener(TYPESET, event => {
    if (typesetter) {
      event.preventDefault();
      void typesetter.typeset(event.target as HTMLElement);
    }
  });
  document.addEventListener(SESSION, event => {
    const panel = panelAround(tracker, event.target as Node);
    if (panel) {
      event.preventDefault();
      onSession(panel, (event as CustomEvent<{ session: string }>).detail.session);
    }
  });
}

function panelAround(tracker: INotebookTracker | null, node: Node): NotebookPanel | undefined {
  return tracker?.find(panel => panel.node.contains(node));
}

/** A code cell below the one that `node` is shown in; below the active one where that is elsewhere. It is not run. */
function insertBelow(panel: NotebookPanel, node: Node, source: string): void {
  const notebook = panel.content;
  const around = notebook.widgets.findIndex(cell => cell.node.contains(node));
  const place = (around < 0 ? notebook.activeCellIndex : around) + 1;
  notebook.model!.sharedModel.insertCell(place, { cell_type: 'code', source });
  notebook.activeCellIndex = place;
}
