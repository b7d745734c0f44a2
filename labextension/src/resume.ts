/** What kernels run so that a notebook has a session; the cell shows the briefing or a refusal. */

import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

import { Resume } from './model';
import { localProblem, ProblemError } from './problem';
import { ITrans } from './translation';

const LOAD = '%load_ext jido_jupyter';

export const NEW_SOURCE = `${LOAD}\n%jido new`;
export const PANEL_SOURCE = `${LOAD}\n%jido panel`;

/** To resume a session, or to go on in a copy of it. */
export function resumeSource(
  id: string,
  trans: ITrans,
  { verb = 'resume', takeOver, trust }: Omit<Resume, 'inNew'> & { verb?: 'resume' | 'fork' } = {}
): string {
  // IPython expands $names and {expressions} in a magic's line: an id must not be able to hold any.
  if (!/^[\w.:-]+$/.test(id)) {
    throw new ProblemError(
      localProblem('invalid_session_id', trans.__('Not a session id'), trans.__('No session can have this id.'))
    );
  }
  const options = [verb === 'fork' && '--open', takeOver && '--take-over', trust && '--trust'].filter(Boolean);
  return [LOAD, ['%jido', verb, id, ...options].join(' ')].join('\n');
}

/**
 * Run code in a new cell below the active one.
 *
 * @param panel null where no notebook is open.
 */
export async function runInNotebook(panel: NotebookPanel | null, source: string, trans: ITrans): Promise<void> {
  if (!panel) {
    throw new ProblemError(
      localProblem('no_notebook', trans.__('No notebook'), trans.__('Open a notebook first, then try again.'))
    );
  }
  await panel.sessionContext.ready;
  const kernel = panel.sessionContext.session?.kernel;
  if (!kernel) {
    throw new ProblemError(
      localProblem(
        'no_kernel',
        trans.__('No kernel'),
        trans.__('Start a Python kernel for this notebook first, then try again.')
      )
    );
  }
  const language = (await kernel.info).language_info.name;
  if (language !== 'python') {
    throw new ProblemError(
      localProblem(
        'not_python',
        trans.__('Not a Python kernel'),
        trans.__(
          'Sessions open in Python notebooks; the kernel of this one runs %1. Here they can be read and exported.',
          language
        )
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
