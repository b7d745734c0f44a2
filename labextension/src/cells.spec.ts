// @vitest-environment jsdom

import { INotebookTracker } from '@jupyterlab/notebook';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';

// @ts-expect-error it is no TypeScript: the kernel hands it to the page as it is
import widget from '../../jido_jupyter/notebook/cells.js';
import { answerPanels } from './services';

const CELLS = [
  { cell_type: 'markdown', source: 'Hi' },
  { cell_type: 'code', source: 'x = 1' }
];

const inserted: string[] = [];
let around: HTMLElement | null = null;
const panel = {
  node: { contains: (node: Node) => around?.contains(node) ?? false },
  content: {
    widgets: [{ node: { contains: () => false } }, { node: { contains: () => true } }],
    activeCellIndex: 0,
    model: {
      sharedModel: {
        insertCell: (place: number, { cell_type, source }: { cell_type: string; source: string }) =>
          inserted.push(`${place} ${cell_type} ${source}`)
      }
    }
  }
};
const tracker = {
  currentWidget: panel,
  find: (is: (panel: unknown) => boolean) => (is(panel) ? panel : undefined)
} as unknown as INotebookTracker;

beforeAll(() => answerPanels(tracker, null, () => {}));

beforeEach(() => {
  inserted.length = 0;
  around = document.body.appendChild(document.createElement('main'));
});

function modelOf(values: Record<string, unknown>) {
  return {
    get: (name: string) => values[name],
    set: (name: string, value: unknown) => (values[name] = value),
    save_changes: vi.fn()
  };
}

const fresh = () => modelOf({ cells: CELLS, told: 'Elsewhere ...', is_placed: false });

it('has its cells put below the one that shows it, once', async () => {
  const model = fresh();
  const [el, again] = [document.createElement('div'), document.createElement('div')];

  widget.render({ model, el }); // it is shown a moment later
  around!.append(el, again);
  await vi.waitFor(() => expect(el.textContent).toBe('2 cells were put below this one.'));
  widget.render({ model, el: again });

  expect(inserted).toEqual(['2 markdown Hi', '3 code x = 1']);
  expect(model.save_changes).toHaveBeenCalledOnce();
  expect(again.textContent).toBe(el.textContent);
});

it('says what else there is where nobody takes them', () => {
  const model = fresh();
  const el = document.body.appendChild(document.createElement('div'));

  widget.render({ model, el });

  expect(el.textContent).toBe('Elsewhere ...');
  expect(inserted).toEqual([]);
  expect(model.get('is_placed')).toBe(false);
});

it('does nothing once its output is gone', async () => {
  const el = document.createElement('div');

  widget.render({ model: fresh(), el })();
  around!.append(el);
  await new Promise(done => setTimeout(done, 50));

  expect(inserted).toEqual([]);
});
