import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { localProblem, ProblemError } from './problem';

/** What the kernel runs to resume a session, or to go on in a copy of it. */
export function resumeSource(id: string, verb: 'resume' | 'fork' = 'resume'): string {
  // IPython expands $names and {expressions} in a magic's line: an id must not be able to hold any.
  if (!/^[\w.:-]+$/.test(id)) {
    throw new ProblemError(
      localProblem('invalid_session_id', 'Not a session id', 'No session can have this id.')
    );
  }
  return `%load_ext jido_jupyter\n%jido ${verb} ${id}${verb === 'fork' ? ' --open' : ''}`;
}

/** Resume a session by a new cell in the notebook in front; the cell shows the briefing or a refusal. */
export async function resumeInNotebook(tracker: INotebookTracker | null, id: string): Promise<void> {
  const source = resumeSource(id);
  const panel = tracker?.currentWidget;
  if (!panel) {
    throw new ProblemError(
      localProblem('no_notebook', 'No notebook', 'Open a notebook first, then resume.')
    );
  }
  await runInNotebook(panel, source);
}

/** Run code in a new cell below the active one. */
export async function runInNotebook(panel: NotebookPanel, source: string): Promise<void> {
  await panel.sessionContext.ready;
  const kernel = panel.sessionContext.session?.kernel;
  if (!kernel) {
    throw new ProblemError(
      localProblem('no_kernel', 'No kernel', 'Start a Python kernel for this notebook first, then resume.')
    );
  }
  const language = (await kernel.info).language_info.name;
  if (language !== 'python') {
    throw new ProblemError(
      localProblem(
        'not_python',
        'Not a Python kernel',
        `Sessions resume in Python notebooks; the kernel of this one runs ${language}.`
      )
    );
  }
  const notebook = panel.content;
  NotebookActions.insertBelow(notebook);
  const cell = notebook.activeCell!;
  cell.model.sharedModel.setSource(source);
  const ran = NotebookActions.run(notebook, panel.sessionContext);
  await notebook.scrollToCell(cell);
  await ran;
}
