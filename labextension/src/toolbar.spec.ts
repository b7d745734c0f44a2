// @vitest-environment jsdom

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { summary } from '../test/samples';
import { NotebookSession } from './notebooks';
import { Observable } from './observable';
import { SessionButton } from './toolbar';
import { PLAIN } from './translation';

// The real icons bring all of JupyterLab's components; the browser tests use them.
vi.mock('./icon', () => ({ jidoIcon: { element: () => undefined } }));

const session = new Observable<NotebookSession | null>(null);
const settings = new Observable({ offersSession: true, showsToolbarButton: true });
const clicked = vi.fn();
let item: SessionButton;
let button: HTMLButtonElement;

beforeEach(() => {
  vi.clearAllMocks();
  session.value = null;
  settings.value = { offersSession: true, showsToolbarButton: true };
  item = new SessionButton(session, settings, PLAIN, clicked);
  button = item.node.querySelector('button')!;
});

describe('the button in the toolbar', () => {
  it('says that there is no session, and leads to all of them', () => {
    button.click();

    expect(button.textContent).toBe('No session');
    expect(button.title).toContain('see all sessions');
    expect(clicked.mock.calls).toEqual([[null]]);
  });

  it('has the name of the session, all of it in the title, follows a rename and leads there', () => {
    session.value = { session: summary({ title: 'Outliers' }), isHere: true };
    expect(button.textContent).toBe('Outliers');
    expect(button.title).toBe('“Outliers” is open in this notebook; click to read it');

    session.value = { session: summary({ title: '<b>Peaks</b>' }), isHere: false };
    expect(button.textContent).toBe('<b>Peaks</b>');
    expect(button.title).toContain('is not open in it');

    button.click();
    expect(clicked.mock.calls).toEqual([['s1']]);
  });

  it('goes and comes with the setting', () => {
    settings.value = { ...settings.value, showsToolbarButton: false };
    expect(item.isHidden).toBe(true);

    settings.value = { ...settings.value, showsToolbarButton: true };
    expect(item.isHidden).toBe(false);
  });

  it('is left alone once its notebook is closed', () => {
    item.dispose();

    session.value = { session: summary({ title: 'Later' }), isHere: true };

    expect(button.textContent).toBe('No session');
  });
});
