// @vitest-environment jsdom

import { NotebookPanel } from '@jupyterlab/notebook';
import { Contents, KernelSpec } from '@jupyterlab/services';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { beginNotebook, pythonSpec, runBegun } from './begin';
import { PLAIN } from './translation';

let ran: number[] = [];

// The real module brings all of JupyterLab's editors; the browser tests use it.
vi.mock('@jupyterlab/notebook', () => ({
  NotebookActions: {
    runAndAdvance: async (notebook: { activeCellIndex: number }) => void ran.push(notebook.activeCellIndex)
  }
}));

function specs(standard: string, languages: Record<string, string>): KernelSpec.ISpecModels {
  const kernelspecs = Object.entries(languages).map(([name, language]) => [
    name,
    { name, language, display_name: name.toUpperCase() }
  ]);
  return { default: standard, kernelspecs: Object.fromEntries(kernelspecs) } as KernelSpec.ISpecModels;
}

const PYTHON = specs('python3', { python3: 'python' });

/** A folder that names new notebooks as Jupyter does. */
class FakeContents {
  saved: Record<string, { metadata: unknown; cells: { source: string }[] }> = {};
  newUntitled = async ({ path }: { path: string }) => ({ path: `${path}/Untitled.ipynb` });
  save = async (path: string, { content }: { content: FakeContents['saved'][string] }) =>
    void (this.saved[path] = content);
}

function panelAt(path: string, isAttached = true): NotebookPanel {
  const ready = Promise.resolve();
  return {
    isAttached,
    context: { path, ready },
    sessionContext: { ready },
    content: { activeCellIndex: 3 }
  } as unknown as NotebookPanel;
}

let contents: FakeContents;
const begin = (known: KernelSpec.ISpecModels | null = PYTHON) =>
  beginNotebook(contents as unknown as Contents.IManager, known, 'work', '%jido panel', PLAIN);

beforeEach(() => {
  ran = [];
  contents = new FakeContents();
  localStorage.clear();
  vi.useRealTimers();
});

describe('the kernel of a new notebook', () => {
  it.each([
    ['is the default', 'p2', { p1: 'python', p2: 'python' }, 'p2'],
    ['is another one, when the default is no Python', 'ir', { ir: 'R', p1: 'Python' }, 'p1'],
    ['is none, when there is no Python', 'ir', { ir: 'R' }, undefined]
  ])('%s', (_, standard, languages, expected) => {
    expect(pythonSpec(specs(standard, languages as unknown as Record<string, string>))?.name).toBe(expected);
  });

  it('is asked for when there is none', async () => {
    await expect(begin(null)).rejects.toMatchObject({ problem: { code: 'no_python' } });
    expect(contents.saved).toEqual({});
  });
});

describe('a notebook that was begun', () => {
  it('holds its cell and its kernel, and runs the cell when it is opened, once', async () => {
    const path = await begin();
    expect(contents.saved[path]).toMatchObject({
      cells: [{ source: '%jido panel' }],
      metadata: { kernelspec: { name: 'python3', display_name: 'PYTHON3', language: 'python' } }
    });

    await runBegun(panelAt(path));
    await runBegun(panelAt(path));

    expect(ran).toEqual([0]);
  });

  it('runs where it is seen, not in the page that asked for it', async () => {
    const path = await begin();

    await runBegun(panelAt(path, false));
    expect(ran).toEqual([]);
    await runBegun(panelAt(path));
    expect(ran).toEqual([0]);
  });

  it('runs nothing in another notebook, nor in one of that name a minute later', async () => {
    vi.useFakeTimers();
    const path = await begin();

    await runBegun(panelAt('work/other.ipynb'));
    vi.advanceTimersByTime(60_000);
    await runBegun(panelAt(path));

    expect(ran).toEqual([]);
  });
});
