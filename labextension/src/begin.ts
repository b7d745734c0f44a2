/** Notebooks that begin with a cell of ours: made here, and run by whichever page opens them, as Notebook 7 opens another one. */

import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { Contents, KernelSpec } from '@jupyterlab/services';

import { localProblem, ProblemError } from './problem';
import { ITrans } from './translation';

const PREFIX = 'jido:begin:';
const WITHIN_MS = 60_000; // a page that opens the notebook later does not run it

/** The kernel for a new notebook: the server's default where that is Python, else its first one for Python. */
export function pythonSpec(specs: KernelSpec.ISpecModels | null): KernelSpec.ISpecModel | null {
  const known = Object.values(specs?.kernelspecs ?? {}).filter(spec => spec?.language.toLowerCase() === 'python');
  return known.find(spec => spec!.name === specs!.default) ?? known[0] ?? null;
}

/**
 * Store a notebook whose one cell holds `source`, and note that it is to be run.
 *
 * @param folder as the contents service names it; "" is the root.
 * @returns the notebook's path.
 */
export async function beginNotebook(
  contents: Contents.IManager,
  specs: KernelSpec.ISpecModels | null,
  folder: string,
  source: string,
  trans: ITrans,
  notes: Storage = localStorage
): Promise<string> {
  const spec = pythonSpec(specs);
  if (spec === null) {
    throw new ProblemError(
      localProblem(
        'no_python',
        trans.__('No Python kernel'),
        trans.__('Install a kernel for Python (pip install ipykernel), then try again.')
      )
    );
  }
  const { path } = await contents.newUntitled({ path: folder, type: 'notebook' });
  const cell = { cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source };
  const kernelspec = { name: spec.name, display_name: spec.display_name, language: spec.language };
  const content = { cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 4 };
  await contents.save(path, { type: 'notebook', format: 'json', content });
  notes.setItem(PREFIX + path, String(Date.now()));
  return path;
}

/** Run what was begun, in the notebooks that are open and those that will be. */
export function runAllBegun(tracker: INotebookTracker): void {
  tracker.forEach(panel => void runBegun(panel));
  tracker.widgetAdded.connect((_, panel) => void runBegun(panel));
}

/** Run the first cell of a notebook that was begun a moment ago, once. */
export async function runBegun(panel: NotebookPanel, notes: Storage = localStorage): Promise<void> {
  await panel.context.ready;
  await panel.sessionContext.ready;
  // Notebook 7 makes a widget of the notebook in the page that asks for it, too, which nobody gets to see.
  if (!panel.isAttached || !isBegun(panel.context.path, notes)) {
    return;
  }
  panel.content.activeCellIndex = 0;
  await NotebookActions.runAndAdvance(panel.content, panel.sessionContext);
}

/** Whether it was begun a moment ago; it is asked once. */
function isBegun(path: string, notes: Storage): boolean {
  const begun_ms = Number(notes.getItem(PREFIX + path) ?? NaN);
  notes.removeItem(PREFIX + path);
  return Date.now() - begun_ms < WITHIN_MS;
}
