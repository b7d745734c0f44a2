// @vitest-environment jsdom

import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ILatexTypesetter } from '@jupyterlab/rendermime';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { insertCell, tellSession, typeset } from './page';
import { answerPanels } from './services';

/** A notebook of two cells, the first one active, with an output in each. */
function notebook(name: string) {
  const node = document.createElement('div');
  const widgets = [0, 1].map(() => {
    const cell = node.appendChild(document.createElement('div'));
    cell.append(document.createElement('output'));
    return { node: cell };
  });
  document.body.append(node);
  const inserted: string[] = [];
  const sharedModel = {
    insertCell: (place: number, cell: { cell_type: string; source: string }) =>
      inserted.push(`${place} ${cell.cell_type} ${cell.source}`)
  };
  const content = { widgets, activeCellIndex: 0, model: { sharedModel } as object | null };
  return { name, node, content, inserted, output: (place: number) => widgets[place].node.firstElementChild as HTMLElement };
}

let panels: ReturnType<typeof notebook>[] = [];
let front: ReturnType<typeof notebook> | null = null;
const tracker = {
  get currentWidget() {
    return front;
  },
  find: (is: (panel: unknown) => boolean) => panels.find(is)
} as unknown as INotebookTracker;
const typesetter = { typeset: vi.fn() };
const onSession = vi.fn();

// It listens for as long as the page lives.
beforeAll(() =>
  answerPanels(tracker, typesetter as unknown as ILatexTypesetter, (panel: NotebookPanel, session) =>
    onSession((panel as unknown as { name: string }).name, session)
  )
);

beforeEach(() => {
  vi.clearAllMocks();
  document.body.innerHTML = '';
  panels = [notebook('a'), notebook('b')];
  front = panels[0];
});

describe('a panel in a notebook', () => {
  it('gets its code below the cell that it is shown in', () => {
    expect(insertCell(panels[1].output(1), 'x = 1')).toBe(true);

    expect(panels[1].inserted).toEqual(['2 code x = 1']);
    expect(panels[1].content.activeCellIndex).toBe(2);
    expect(panels[0].inserted).toEqual([]);
  });

  it('gets it into the notebook in front, below the active cell, when it stands at the side', () => {
    expect(insertCell(document.body.appendChild(document.createElement('aside')), 'x = 1')).toBe(true);

    expect(panels[0].inserted).toEqual(['1 code x = 1']);
  });

  it('hears that nobody can, when there is no notebook', () => {
    panels = [];
    front = null;

    expect(insertCell(document.body, 'x = 1')).toBe(false);
  });

  it('says which session it shows, to the notebook around it alone', () => {
    tellSession(panels[1].output(0), 's1');
    tellSession(document.body, 's2');

    expect(onSession.mock.calls).toEqual([['b', 's1']]);
  });

  it('has its formulas set, but none that could do more than look like one', () => {
    const formula = panels[0].output(0);
    formula.textContent = 'x^2';
    const link = panels[1].output(0);
    link.textContent = '\\href{javascript:alert(1)}{x}';

    typeset([formula, link]);

    expect(typesetter.typeset.mock.calls).toEqual([[formula]]);
  });
});
