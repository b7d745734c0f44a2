// @vitest-environment jsdom

import { Widget } from '@lumino/widgets';
import { beforeEach, describe, expect, it } from 'vitest';

import { Reveal } from './reveal';

let sidebar: Widget;
let log: string[];
let reveal: Reveal;

beforeEach(() => {
  log = [];
  sidebar = new Widget();
  sidebar.id = 'jido-sessions';
  Widget.attach(sidebar, document.body);
  sidebar.hide();
  const shell = { activateById: (id: string) => (log.push(`activate ${id}`), sidebar.show()) };
  const sessions = {
    openPreview: async (id: string) => void log.push(`preview ${id}`),
    closePreview: () => void log.push('close preview')
  };
  reveal = new Reveal(shell, sidebar, sessions);
});

function addField(): HTMLInputElement {
  const field = document.createElement('input');
  field.type = 'search';
  field.value = 'old words';
  sidebar.node.append(field);
  return field;
}

describe('the sidebar', () => {
  it('is asked for while it is hidden only: a host may take a second time for "hide it"', () => {
    reveal.sidebar();
    reveal.sidebar();

    expect(log).toEqual(['activate jido-sessions']);
  });

  it('shows a session to read', async () => {
    await reveal.session('s1');

    expect(log).toEqual(['activate jido-sessions', 'preview s1']);
  });

  it('gives the search field the focus, its words chosen to be written over', async () => {
    const field = addField();

    await reveal.search();

    expect(log).toEqual(['activate jido-sessions', 'close preview']);
    expect(document.activeElement).toBe(field);
    expect([field.selectionStart, field.selectionEnd]).toEqual([0, 9]);
  });

  it('waits for the field, which comes with the list', async () => {
    const searching = reveal.search();
    await Promise.resolve();
    const field = addField();

    await searching;

    expect(document.activeElement).toBe(field);
  });
});
