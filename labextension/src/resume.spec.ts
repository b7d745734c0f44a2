import { INotebookTracker } from '@jupyterlab/notebook';
import { describe, expect, it, vi } from 'vitest';

import { resumeInNotebook, resumeSource } from './resume';

// The real module brings all of JupyterLab's editors; the browser tests use it.
vi.mock('@jupyterlab/notebook', () => ({
  NotebookActions: {
    insertBelow: (notebook: FakeNotebook) => notebook.insertBelow(),
    run: async (notebook: FakeNotebook) => notebook.log.push(`run ${notebook.source}`)
  }
}));

class FakeNotebook {
  log: string[] = [];
  source = 'old cell';
  activeCell = { model: { sharedModel: { setSource: (source: string) => (this.source = source) } } };
  insertBelow(): void {
    this.log.push('insert below');
    this.source = '';
  }
  async scrollToCell(): Promise<void> {
    this.log.push('scroll');
  }
}

function trackerOf(notebook: FakeNotebook, language: string): INotebookTracker {
  const kernel = { info: Promise.resolve({ language_info: { name: language } }) };
  const sessionContext = { ready: Promise.resolve(), session: { kernel } };
  return { currentWidget: { content: notebook, sessionContext } } as unknown as INotebookTracker;
}

describe('resumeInNotebook', () => {
  it('runs the magics in a new cell below and scrolls to it', async () => {
    const notebook = new FakeNotebook();

    await resumeInNotebook(trackerOf(notebook, 'python'), '01JA');

    expect(notebook.log).toEqual([
      'insert below',
      'run %load_ext jido_jupyter\n%jido resume 01JA',
      'scroll'
    ]);
  });

  it.each([null, { currentWidget: null } as INotebookTracker])(
    'asks for a notebook when there is none',
    async tracker => {
      await expect(resumeInNotebook(tracker, '01JA')).rejects.toMatchObject({
        problem: { code: 'no_notebook', detail: 'Open a notebook first, then resume.' }
      });
    }
  );

  it('names the language of a kernel which is not Python, and leaves the notebook alone', async () => {
    const notebook = new FakeNotebook();

    await expect(resumeInNotebook(trackerOf(notebook, 'R'), '01JA')).rejects.toMatchObject({
      problem: { code: 'not_python', detail: expect.stringContaining('runs R') }
    });
    expect(notebook.log).toEqual([]);
  });
});

describe('resumeSource', () => {
  it.each(['a b', 'a\n!rm x', '{x}', '$HOME', '', 'a;b', "a'"])(
    'lets an id say nothing to the kernel: %j',
    id => {
      expect(() => resumeSource(id)).toThrow('No session can have this id.');
    }
  );
});
