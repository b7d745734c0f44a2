// @vitest-environment jsdom

import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { problem, summary } from '../test/samples';
import { ISidebarModel, SessionsState } from './model';
import { Notebooks } from './notebooks';
import { Observable } from './observable';
import { OfferLine } from './offer';
import { pointerOf } from './pointer';
import { ProblemError } from './problem';
import { PLAIN } from './translation';
import { Summary } from './types';

const lab = vi.hoisted(() => ({ executed: [] as ((sender: null, args: { notebook: object }) => void)[] }));

// The real module brings all of JupyterLab's editors; the browser tests use it.
vi.mock('@jupyterlab/notebook', () => ({
  NotebookActions: { executed: { connect: (slot: (typeof lab.executed)[number]) => lab.executed.push(slot) } }
}));

const ROOT = '/srv';
const HERE = { kind: 'kernel', notebook: `${ROOT}/a.ipynb`, host: 'here', pid: 1 };

/** A notebook that is open in the page. */
class FakePanel {
  constructor(session: string | null) {
    if (session !== null) {
      this.metadata.jido_jupyter = { session, kept: 'what another version wrote' };
    }
  }
  metadata: Record<string, unknown> = {};
  readonly metadataChanged = new Signal<object, void>({});
  readonly pathChanged = new Signal<object, string>({});
  readonly lines: OfferLine[] = [];
  readonly isDisposed = false;
  readonly context = { path: 'a.ipynb', pathChanged: this.pathChanged, isReady: true, ready: Promise.resolve() };
  readonly contentHeader = { addWidget: (line: OfferLine) => this.lines.push(line) };
  readonly content = {
    model: {
      readOnly: false,
      metadataChanged: this.metadataChanged,
      getMetadata: (key: string) => this.metadata[key],
      setMetadata: (key: string, value: unknown) => {
        this.metadata[key] = value;
        this.metadataChanged.emit();
      }
    }
  };
}

let stored: Summary[] = [];
let asked: string[] = [];
const lookup = {
  opened: async () => {
    asked.push('opened');
    return stored.filter(({ state }) => state === 'open');
  },
  summary: async (id: string) => {
    asked.push(id);
    const found = stored.find(session => session.id === id);
    if (!found) {
      throw new ProblemError(problem({ code: 'session_not_found', status: 404 }));
    }
    return found;
  }
};

/** All that the sidebar lists. */
const lists = {
  state: new Observable({ hits: [], find: { text: '', filter: 'all' } } as unknown as SessionsState),
  groups: new Observable<ISidebarModel['groups']['value']>([])
};

function list(...sessions: Summary[]): void {
  const hits = sessions.map(session => ({ session, snippet: '' }));
  lists.state.value = { ...lists.state.value, hits };
}

function trash(...sessions: Summary[]): void {
  const hits = sessions.map(session => ({ session, snippet: '' }));
  lists.groups.value = [{ name: 'trashed', hits, hasMore: false, count: hits.length, isOpen: false }];
}

async function opened(panel: FakePanel, offersSession = true) {
  const currentChanged = new Signal<object, FakePanel>({});
  const tracker = {
    widgetAdded: new Signal<object, FakePanel>({}),
    currentChanged,
    forEach: (act: (panel: FakePanel) => void) => act(panel),
    find: (is: (panel: FakePanel) => boolean) => [panel].find(is)
  } as unknown as INotebookTracker;
  const settings = { state: new Observable({ offersSession, showsToolbarButton: true }), ready: Promise.resolve() };
  const contents = { get: () => Promise.reject(new Error('none')) } as unknown as Contents.IManager;
  const notebooks = new Notebooks(tracker, lookup, contents, settings, PLAIN);
  notebooks.follow(lists);
  await settled();
  const session = notebooks.sessionOf(panel as unknown as NotebookPanel);
  const run = async (): Promise<void> => {
    lab.executed.forEach(slot => slot(null, { notebook: panel.content }));
    await vi.advanceTimersByTimeAsync(1000);
  };
  const comeToFront = (): void => currentChanged.emit(panel);
  return { notebooks, session, run, comeToFront, pointer: () => pointerOf(panel as unknown as NotebookPanel) };
}

async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  PageConfig.setOption('serverRoot', ROOT);
  stored = [summary({ id: 's1', title: 'Outliers', notebook: HERE.notebook })];
  asked = [];
  lab.executed = [];
  list();
  trash();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a notebook that is opened', () => {
  it('has the session that it points to, and offers it', async () => {
    const panel = new FakePanel('s1');
    const { session } = await opened(panel);

    expect(session.value).toEqual({ session: stored[0], isHere: false });
    expect(panel.lines.map(line => line.node.textContent)).toEqual([
      expect.stringMatching(/^This notebook has a session: “Outliers” \(2 messages, .*\)\.Resume✕$/)
    ]);
  });

  it('offers nothing when the user wants no offers; the session is its own all the same', async () => {
    const panel = new FakePanel('s1');
    const { session } = await opened(panel, false);

    expect(panel.lines).toEqual([]);
    expect(session.value?.session.id).toBe('s1');
  });

  it('has none when it points to none, or to one that is gone; nobody is asked in vain', async () => {
    expect((await opened(new FakePanel(null))).session.value).toBeNull();
    expect(asked).toEqual([]);
    expect((await opened(new FakePanel('gone'))).session.value).toBeNull();
  });

  it('shows what a title holds that is not seen', async () => {
    stored = [summary({ id: 's1', title: 'Out\u202eliers' })];
    const panel = new FakePanel('s1');
    const { session } = await opened(panel);

    expect(session.value?.session.title).not.toContain('\u202e');
    expect(panel.lines[0].node.textContent).not.toContain('\u202e');
  });

  it('is left in peace by a server that is away', async () => {
    vi.spyOn(lookup, 'summary').mockRejectedValueOnce(new ProblemError(problem({ code: 'unreachable' })));
    const panel = new FakePanel('s1');
    const { session } = await opened(panel);

    expect(session.value).toBeNull();
    expect(panel.lines).toEqual([]);
  });
});

describe('a cell that ran', () => {
  it('may have opened a session: the notebook points to it, keeps what else stood there, and offers nothing more', async () => {
    const panel = new FakePanel('s1');
    const { session, run, pointer } = await opened(panel);
    const [line] = panel.lines;
    stored.push(summary({ id: 's2', state: 'open', owner: HERE }));

    await run();

    expect(session.value).toMatchObject({ session: { id: 's2' }, isHere: true });
    expect(pointer()).toBe('s2');
    expect(panel.metadata.jido_jupyter).toMatchObject({ kept: 'what another version wrote' });
    expect(line.isDisposed).toBe(true);
  });

  it('may have closed it: the notebook still points to it', async () => {
    stored = [summary({ id: 's1', state: 'open', owner: HERE })];
    const { session, run } = await opened(new FakePanel('s1'));
    expect(session.value?.isHere).toBe(true);

    stored = [summary({ id: 's1', state: 'closed', owner: null })];
    await run();

    expect(session.value).toMatchObject({ session: { id: 's1' }, isHere: false });
  });

  it('costs one question, however many cells run at once', async () => {
    const { run } = await opened(new FakePanel(null));

    await Promise.all([run(), run(), run()]);

    expect(asked).toEqual(['opened']);
  });

  it('of a notebook that was moved since finds the session that knows its earlier path', async () => {
    const panel = new FakePanel(null);
    const { session, run } = await opened(panel);
    panel.context.path = 'b.ipynb';
    panel.pathChanged.emit('b.ipynb');
    stored = [summary({ id: 's1', state: 'open', owner: HERE })];

    await run();

    expect(session.value).toMatchObject({ session: { id: 's1' }, isHere: true });
  });
});

describe('what the sidebar lists', () => {
  it('renames the session of the notebook', async () => {
    const { session } = await opened(new FakePanel('s1'));

    list({ ...stored[0], title: 'Peaks', revision: '4-new' });

    expect(session.value?.session.title).toBe('Peaks');
    expect(asked).toEqual(['s1']);
  });

  it('changes nothing while the session is the same', async () => {
    const { session } = await opened(new FakePanel('s1'));
    const before = session.value;

    list({ ...stored[0] });

    expect(session.value).toBe(before);
  });

  it('takes the session off the notebook while it is in the trash; the server is not asked for what it has not', async () => {
    const { session } = await opened(new FakePanel('s1'));
    list(stored[0], summary({ id: 's2' }));

    list(summary({ id: 's2' }));
    trash(stored[0]);
    expect(session.value).toBeNull();

    trash();
    list(stored[0], summary({ id: 's2' }));
    expect(session.value?.session.id).toBe('s1');
    expect(asked).toEqual(['s1']);
  });
});

describe('what happened elsewhere', () => {
  it.each(['the notebook comes to the front', 'the page is seen again'])('is learnt when %s', async when => {
    const { session, comeToFront } = await opened(new FakePanel('s1'));
    stored = [{ ...stored[0], title: 'Peaks' }];

    if (when.startsWith('the notebook')) {
      comeToFront();
    } else {
      document.dispatchEvent(new Event('visibilitychange'));
    }
    await settled();

    expect(session.value?.session.title).toBe('Peaks');
  });
});

describe('a panel that shows a session', () => {
  it('makes the notebook point to it', async () => {
    const panel = new FakePanel(null);
    const { notebooks, session, pointer } = await opened(panel);

    await notebooks.point(panel as unknown as NotebookPanel, 's1');

    expect(pointer()).toBe('s1');
    expect(session.value?.session.title).toBe('Outliers');
  });

  it('may say it again: it was renamed there', async () => {
    const panel = new FakePanel('s1');
    const { notebooks, session } = await opened(panel);
    stored = [{ ...stored[0], title: 'Peaks' }];

    await notebooks.point(panel as unknown as NotebookPanel, 's1');

    expect(session.value?.session.title).toBe('Peaks');
  });
});
