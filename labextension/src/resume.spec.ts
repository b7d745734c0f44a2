import { NotebookPanel } from '@jupyterlab/notebook';
import { describe, expect, it, vi } from 'vitest';

import { resumeSource, runInNotebook } from './resume';
import { PLAIN } from './translation';

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

function panelOf(notebook: FakeNotebook, language: string | null): NotebookPanel {
  const kernel = language && { info: Promise.resolve({ language_info: { name: language } }) };
  const sessionContext = { ready: Promise.resolve(), session: { kernel } };
  return { content: notebook, sessionContext } as unknown as NotebookPanel;
}

describe('runInNotebook', () => {
  it('runs the magics in a new cell below and scrolls to it', async () => {
    const notebook = new FakeNotebook();

    await runInNotebook(panelOf(notebook, 'python'), resumeSource('01JA', PLAIN), PLAIN);

    expect(notebook.log).toEqual([
      'insert below',
      'run %load_ext jido_jupyter\n%jido resume 01JA',
      'scroll'
    ]);
  });

  it('asks for a notebook when there is none', async () => {
    await expect(runInNotebook(null, 'x', PLAIN)).rejects.toMatchObject({
      problem: { code: 'no_notebook', detail: 'Open a notebook first, then try again.' }
    });
  });

  it.each([
    [null, 'no_kernel', 'Start a Python kernel'],
    ['R', 'not_python', 'runs R']
  ])('says what to do about a kernel that is %s, and leaves the notebook alone', async (language, code, detail) => {
    const notebook = new FakeNotebook();

    await expect(runInNotebook(panelOf(notebook, language), 'x', PLAIN)).rejects.toMatchObject({
      problem: { code, detail: expect.stringContaining(detail) }
    });
    expect(notebook.log).toEqual([]);
  });
});

describe('resumeSource', () => {
  it.each(['a b', 'a\n!rm x', '{x}', '$HOME', '', 'a;b', "a'"])(
    'lets an id say nothing to the kernel: %j',
    id => {
      expect(() => resumeSource(id, PLAIN)).toThrow('No session can have this id.');
    }
  );

  it('says how, where that was chosen', () => {
    expect(resumeSource('01JA', PLAIN, { takeOver: true, trust: true })).toMatch(/%jido resume 01JA --take-over --trust$/);
    expect(resumeSource('01JA', PLAIN, { verb: 'fork' })).toMatch(/%jido fork 01JA --open$/);
  });
});
