// @vitest-environment jsdom

import { CommandRegistry } from '@lumino/commands';
import { NotebookPanel } from '@jupyterlab/notebook';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { problem, summary } from '../test/samples';
import schema from '../schema/plugin.json';
import { addCommands, CommandIDs, Desk, IN_PALETTE } from './commands';
import { ISidebarModel, SessionsState } from './model';
import { NotebookSession } from './notebooks';
import { Notices } from './notices';
import { Observable } from './observable';
import { ProblemError } from './problem';
import { knownIn, Subjects } from './subject';
import { PLAIN } from './translation';
import { Summary } from './types';

// The real icons bring all of JupyterLab's components; the browser tests use them.
vi.mock('./icon', () => ({ jidoIcon: undefined }));

const MINE = summary({ id: 'mine', title: 'Mine' });
const OTHER = summary({ id: 'other', title: 'Other', pinned: true });
const DAMAGED = summary({ id: 'damaged', state: 'damaged' });
const TRASHED = summary({ id: 'trashed' });

let log: string[];
let commands: CommandRegistry;
let notices: Notices;
let answers: { title: string | null; session: string | null; format: string | null; files: File[] | null };
let front: NotebookSession | null | undefined; // undefined: no notebook is open
let row: string | null;

/** Writes down what is asked of it. */
function fakeModel(): ISidebarModel {
  const hits = (...sessions: Summary[]) => sessions.map(session => ({ session, snippet: '' }));
  const shown = { hits: hits(MINE, OTHER, DAMAGED), find: { text: '', filter: 'all' } } as unknown as SessionsState;
  const groups = [{ name: 'trashed', hits: hits(TRASHED) }] as unknown as ISidebarModel['groups']['value'];
  const known: Partial<ISidebarModel> = {
    state: new Observable(shown),
    groups: new Observable(groups),
    formats: async () => ['json', 'markdown']
  };
  return new Proxy(known, {
    get: (target, name) =>
      target[name as keyof ISidebarModel] ??
      (async (...given: unknown[]) => void log.push([name, ...given.map(one => JSON.stringify(one))].join(' ')))
  }) as ISidebarModel;
}

function desk(part: Partial<Desk> = {}): Desk {
  const model = fakeModel();
  const notebooks = {
    get front() {
      return front === undefined ? null : ({} as NotebookPanel);
    },
    sessionOf: () => new Observable(front ?? null)
  };
  return {
    model,
    notices,
    subjects: new Subjects(knownIn(model), notebooks, () => row),
    reveal: { sidebar: () => void log.push('sidebar'), search: async () => void log.push('search') },
    dialogs: {
      title: async current => (log.push(`title? ${current}`), answers.title),
      session: async sessions => (log.push(`session? ${sessions.map(({ id }) => id)}`), answers.session),
      format: async formats => (log.push(`format? ${formats}`), answers.format),
      files: async () => answers.files
    },
    hasNotebook: () => front !== undefined,
    newSession: async () => void log.push('new session'),
    newNotebook: async folder => (log.push(`new notebook in ${folder}`), 'the widget'),
    trans: PLAIN,
    ...part
  };
}

beforeEach(() => {
  log = [];
  notices = new Notices();
  answers = { title: 'Peaks', session: 'other', format: 'markdown', files: [] };
  front = { session: MINE, isHere: false };
  row = null;
  commands = new CommandRegistry();
  addCommands(commands, desk());
});

describe('every command', () => {
  it.each(Object.values(CommandIDs))('%s has a label, a caption, and says what it takes', async id => {
    expect(commands.label(id)).toMatch(/^[A-Z]/);
    expect(commands.caption(id)).toMatch(/^[A-Z]/);
    expect((await commands.describedBy(id)).args).toMatchObject({ type: 'object', properties: {} });
  });

  it('that the palette or the schema names is there, under labels that differ in the palette', () => {
    const { context, main } = schema['jupyter.lab.menus'];
    const named = [
      ...IN_PALETTE,
      ...schema['jupyter.lab.shortcuts'].map(({ command }) => command),
      ...context.flatMap(({ command }) => command ?? []),
      ...main.flatMap(({ items }) => items.flatMap(({ submenu }) => submenu.items.map(({ command }) => command)))
    ];

    expect(named.filter(id => !commands.hasCommand(id))).toEqual([]);
    expect(new Set(IN_PALETTE.map(id => commands.label(id))).size).toBe(IN_PALETTE.length);
  });
});

describe('without a notebook in front', () => {
  beforeEach(() => {
    front = undefined;
  });

  it('only what needs none can be done', () => {
    expect(IN_PALETTE.filter(id => commands.isEnabled(id))).toEqual([
      CommandIDs.openSidebar,
      CommandIDs.searchSessions,
      CommandIDs.refreshSessions,
      CommandIDs.newNotebook,
      CommandIDs.importSessions
    ]);
  });

  it('a row has all that is not about the notebook', () => {
    row = 'other';

    expect(commands.isEnabled(CommandIDs.resumeSession, { row: true })).toBe(false);
    expect(commands.isEnabled(CommandIDs.resumeInNew, { row: true })).toBe(true);
    expect(commands.isEnabled(CommandIDs.exportSession, { row: true })).toBe(true);
  });
});

describe('in a notebook with a session', () => {
  it('all can be done, to that session', async () => {
    expect(IN_PALETTE.filter(id => !commands.isEnabled(id))).toEqual([]);

    await commands.execute(CommandIDs.resumeNotebook);
    await commands.execute(CommandIDs.renameSession);
    await commands.execute(CommandIDs.pinSession);
    await commands.execute(CommandIDs.archiveSession);
    await commands.execute(CommandIDs.forkSession);
    await commands.execute(CommandIDs.exportSession);
    await commands.execute(CommandIDs.deleteSession);

    expect(log).toEqual([
      'resume "mine"',
      'title? Mine',
      'edit "mine" {"title":"Peaks"}',
      'edit "mine" {"pinned":true}',
      'edit "mine" {"archived":true}',
      'fork "mine"',
      'format? json,markdown',
      'export "mine" "markdown"',
      'remove "mine"'
    ]);
  });

  it('what is open already cannot be resumed again', () => {
    front = { session: { ...MINE, state: 'open' }, isHere: true };

    expect(commands.isEnabled(CommandIDs.resumeNotebook)).toBe(false);
  });

  it('a session to resume is chosen from the list, or given by its id', async () => {
    await commands.execute(CommandIDs.resumeSession);
    await commands.execute(CommandIDs.resumeSession, { id: 'named' });
    answers.session = null;
    await commands.execute(CommandIDs.resumeSession);

    expect(log).toEqual([
      'session? mine,other,damaged',
      'resume "other"',
      'resume "named"',
      'session? mine,other,damaged'
    ]);
  });

  it('nothing happens when a question is not answered', async () => {
    answers = { title: null, session: null, format: null, files: null };

    await commands.execute(CommandIDs.renameSession);
    await commands.execute(CommandIDs.exportSession);
    await commands.execute(CommandIDs.importSessions);

    expect(log).toEqual(['title? Mine', 'format? json,markdown']);
  });
});

describe('the menu of a row', () => {
  it('is about the session of the row, not that of the notebook', async () => {
    row = 'other';

    expect(commands.label(CommandIDs.pinSession, { row: true })).toBe('Unpin');
    await commands.execute(CommandIDs.pinSession, { row: true });
    await commands.execute(CommandIDs.resumeInNew, { row: true });

    expect(log).toEqual(['edit "other" {"pinned":false}', 'resume "other" {"inNew":true}']);
  });

  it('has nothing but a way back in the trash', () => {
    row = 'trashed';
    const menu = schema['jupyter.lab.menus'].context.flatMap(({ command }) => command ?? []);

    expect(menu.filter(id => commands.isVisible(id, { row: true }))).toEqual([CommandIDs.restoreSession]);
    row = 'other';
    expect(menu.filter(id => !commands.isVisible(id, { row: true }))).toEqual([CommandIDs.restoreSession]);
  });

  it('lets a damaged session be exported and thrown away, and no more', () => {
    row = 'damaged';
    const menu = schema['jupyter.lab.menus'].context.flatMap(({ command }) => command ?? []);

    expect(menu.filter(id => commands.isEnabled(id, { row: true }))).toEqual([
      CommandIDs.exportSession,
      CommandIDs.deleteSession
    ]);
  });

  it('does nothing for a row that is gone', async () => {
    expect(commands.isEnabled(CommandIDs.deleteSession, { row: true })).toBe(false);
    await commands.execute(CommandIDs.deleteSession, { row: true });

    expect(log).toEqual([]);
  });
});

describe('what a command could not do', () => {
  it('is told in the sidebar, which is shown', async () => {
    const refused = problem({ title: 'No kernel' });
    commands = new CommandRegistry();
    addCommands(commands, desk({ newSession: () => Promise.reject(new ProblemError(refused)) }));

    await commands.execute(CommandIDs.newSession);

    expect(notices.state.value.map(({ title }) => title)).toEqual(['No kernel']);
    expect(log).toEqual(['sidebar']);
  });

  it('leaves the sidebar alone when there is nothing new to read', async () => {
    notices.information('old', 'Read already');

    await commands.execute(CommandIDs.newSession);

    expect(log).toEqual(['new session']);
  });
});

describe('a new notebook', () => {
  it('goes into the folder of the launcher, which takes its place', async () => {
    expect(await commands.execute(CommandIDs.newNotebook, { cwd: 'work' })).toBe('the widget');
    await commands.execute(CommandIDs.newNotebook);

    expect(log).toEqual(['new notebook in work', 'new notebook in null']);
  });
});
