/** A notebook's pointer to its session, in its metadata: `jido_jupyter: {session: <id>}`. It goes where the file goes. */

import { NotebookPanel } from '@jupyterlab/notebook';

import { isSamePlace } from './places';
import { Summary } from './types';

const KEY = 'jido_jupyter';

export function pointerOf(panel: NotebookPanel): string | null {
  const found = panel.content.model?.getMetadata(KEY) as { session?: unknown } | undefined;
  return typeof found?.session === 'string' ? found.session : null;
}

/** Point to a session; a notebook that does so already stays clean. */
export function setPointer(panel: NotebookPanel, session: string): void {
  const { model } = panel.content;
  if (model && !model.readOnly && pointerOf(panel) !== session) {
    const others = (model.getMetadata(KEY) as object | undefined) ?? {};
    model.setMetadata(KEY, { ...others, session });
  }
}

/** Whether a kernel has the session open for a notebook, by any path that it had since the page was opened. */
export function isOpenIn({ state, owner }: Summary, paths: Iterable<string>, root: string): boolean {
  return (
    state === 'open' && owner?.kind === 'kernel' && [...paths].some(path => isSamePlace(owner.notebook, path, root))
  );
}

/** The session that a notebook has open. */
export function openIn(sessions: readonly Summary[], paths: Iterable<string>, root: string): Summary | undefined {
  const known = [...paths];
  return sessions.find(session => isOpenIn(session, known, root));
}
