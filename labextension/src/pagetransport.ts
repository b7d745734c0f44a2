/** The server's sessions, and a way to change those that a notebook of this page has open: only their kernels may. */

import { Kernel } from '@jupyterlab/services';

import { Changes } from './model';
import { localProblem, ProblemError } from './problem';
import { RestTransport } from './rest';
import { ITrans } from './translation';

export class PageTransport extends RestTransport {
  /**
   * @param kernelOf the kernel in which a notebook of this page has a session open.
   */
  constructor(
    private readonly _kernelOf: (id: string) => Kernel.IKernelConnection | null,
    ...rest: ConstructorParameters<typeof RestTransport>
  ) {
    super(...rest);
  }

  async edit(id: string, changes: Changes): Promise<void> {
    const kernel = this._kernelOf(id);
    await (kernel === null ? super.edit(id, changes) : editIn(kernel, changes, this._trans));
  }
}

/** Change the session that a kernel has open; no cell, no output, no variable tells of it. */
async function editIn(kernel: Kernel.IKernelConnection, changes: Changes, trans: ITrans): Promise<void> {
  // A text of JSON, twice: what it holds is a value in Python, never code.
  const given = JSON.stringify(JSON.stringify(changes));
  const code = `__import__('jido_jupyter').current().live.edit(**__import__('json').loads(${given}))`;
  const { content } = await kernel.requestExecute({ code, silent: true, store_history: false }).done;
  if (content.status === 'error') {
    throw new ProblemError(localProblem('kernel_refused', trans.__('Not changed'), content.evalue || content.ename));
  }
  if (content.status !== 'ok') {
    throw new ProblemError(
      localProblem('kernel_gone', trans.__('Not changed'), trans.__('The kernel ended before it could.'))
    );
  }
}
