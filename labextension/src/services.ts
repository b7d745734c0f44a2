/** What our panel asks the page for, answered by JupyterLab and Notebook 7. */

import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ILatexTypesetter } from '@jupyterlab/rendermime';

import { INSERT_CELL, INSERT_CELLS, SESSION, TYPESET } from './page';

export function answerPanels(
  tracker: INotebookTracker | null,
  typesetter: ILatexTypesetter | null,
  onSession: (panel: NotebookPanel, session: string) => void
): void {
  document.addEventListener(INSERT_CELL, event => {
    const { code } = (event as CustomEvent<{ code: string }>).detail;
    const panel = panelAround(tracker, event.target as Node) ?? tracker?.currentWidget;
    if (panel?.content.model) {
      insertBelow(panel, event.target as Node, [{ cell_type: 'code', source: code }]);
      event.preventDefault();
    }
  });
  document.addEventListener(INSERT_CELLS, event => {
    const { cells } = (event as CustomEvent<{ cells: NewCell[] }>).detail;
    const panel = panelAround(tracker, event.target as Node);
    if (panel?.content.model) {
      insertBelow(panel, event.target as Node, cells);
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

type NewCell = Parameters<NonNullable<NotebookPanel['model']>['sharedModel']['insertCell']>[1];

/** Cells below the one that `node` is shown in; below the active one where that is elsewhere. They are not run. */
function insertBelow(panel: NotebookPanel, node: Node, cells: readonly NewCell[]): void {
  const notebook = panel.content;
  const around = notebook.widgets.findIndex(cell => cell.node.contains(node));
  const place = (around < 0 ? notebook.activeCellIndex : around) + 1;
  cells.forEach((cell, offset) => notebook.model!.sharedModel.insertCell(place + offset, cell));
  notebook.activeCellIndex = place;
}
