import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePage, FakeServer } from '../test/fakes';
import { head, NOW_MS, problem, RATE_LIMITED, summary } from '../test/samples';
import { Notices } from './notices';
import { ProblemError } from './problem';
import { SidebarModel } from './sidebarmodel';
import { Summary } from './types';

function setUp(stored: Summary[] = [summary()]) {
  const server = new FakeServer(stored);
  const page = new FakePage();
  const notices = new Notices();
  const model = new SidebarModel(server, notices, Date.now, page);
  const ids = () =>
    Object.fromEntries(
      model.groups.value.filter(({ hits }) => hits.length > 0).map(({ name, hits }) => [name, hits.map(({ session }) => session.id)])
    );
  const told = (topic: string) => notices.state.value.find(notice => notice.topic === topic);
  const press = async (topic: string, label: string) => {
    told(topic)!.actions!.find(action => action.label === label)!.act();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { model, server, page, notices, ids, told, press };
}

const away = (id: string, part: Partial<Summary> = {}): Summary => summary({ id, title: id, notebook: null, ...part });
const many = (count: number, part: Partial<Summary> = {}) => Array.from({ length: count }, (_, n) => away(`s${n}`, part));

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('groups', () => {
  it('are there with the first answer', async () => {
    const { model, server, ids } = setUp([
      away('here', { notebook: '/srv/me/notes/report.ipynb' }),
      away('open', { state: 'open' }),
      away('pin', { pinned: true }),
      away('new'),
      away('old', { archived: true })
    ]);
    server.trash = [away('gone')];

    await model.refresh();

    expect(ids()).toEqual({
      notebook: ['here'],
      open: ['open'],
      pinned: ['pin'],
      recent: ['new'],
      archived: ['old'],
      trashed: ['gone']
    });
    expect(model.groups.value.filter(({ isOpen }) => !isOpen).map(({ name }) => name)).toEqual(['archived', 'trashed']);
  });

  it('are not asked for when nothing changed', async () => {
    const { model, server } = setUp();
    await model.refresh();
    const before = server.asked.length;
    const shown = model.groups.value;

    await model.refresh();

    expect(server.asked.slice(before)).toEqual(['all||']);
    expect(model.groups.value).toBe(shown);
  });

  it('follow the notebook in front', async () => {
    const { model, page, ids } = setUp([
      away('a', { notebook: '/srv/me/notes/report.ipynb' }),
      away('b', { notebook: '/srv/me/report2.ipynb' })
    ]);
    await model.refresh();

    page.notebook.value = 'report2.ipynb';
    await vi.advanceTimersByTimeAsync(0);
    const moved = ids();
    page.notebook.value = null;
    await vi.advanceTimersByTimeAsync(0);

    expect(moved).toEqual({ notebook: ['b'], recent: ['a'] });
    expect(ids()).toEqual({ recent: ['a', 'b'] });
  });

  it('come page by page, over pages that hold none of theirs', async () => {
    const { model, ids } = setUp([...many(60), ...many(200, { archived: true }).map((s, n) => ({ ...s, id: `x${n}` })), away('last')]);
    await model.refresh();

    // Each row that comes into view near the end asks.
    await Promise.all([model.moreOf('recent'), model.moreOf('recent'), model.moreOf('recent')]);
    await model.moreOf('recent');

    expect(ids().recent.at(-1)).toBe('last');
    expect(ids().recent).toHaveLength(61);
  });

  it('stay folded as they were', async () => {
    const { model, server } = setUp();
    await model.refresh();
    model.toggleGroup('recent');
    server.change([...server.stored, away('new')]);

    await model.refresh();

    expect(model.groups.value.find(({ name }) => name === 'recent')?.isOpen).toBe(false);
  });

  it('are brought up to date when a search is over', async () => {
    const { model, server, ids } = setUp([away('a'), away('b')]);
    await model.refresh();
    await model.search({ text: 'a' });
    server.change([...server.stored, away('pin', { pinned: true })]);

    await model.search({ text: '' });

    expect(ids()).toEqual({ pinned: ['pin'], recent: ['a', 'b'] });
  });

  it('stay when the server is gone, and the reason is told', async () => {
    const { model, server, ids } = setUp([away('a')]);
    await model.refresh();
    server.find = () => Promise.reject(new ProblemError(problem({ code: 'unreachable' })));

    await model.refresh();

    expect(ids()).toEqual({ recent: ['a'] });
    expect(model.state.value.connection).toMatchObject({ kind: 'lost', problem: { code: 'unreachable' } });
  });

  it('show what would disguise a title', async () => {
    const { model } = setUp([away('a', { title: 'safe\u202etxt.exe', tags: ['\u0007x'] })]);

    await model.refresh();

    expect(model.groups.value.find(({ name }) => name === 'recent')?.hits[0].session).toMatchObject({
      title: 'safe\ufffdtxt.exe',
      tags: ['\ufffdx']
    });
  });
});

describe('events', () => {
  async function listening(stored?: Summary[]) {
    const made = setUp(stored);
    await made.model.refresh();
    made.model.wake();
    await vi.advanceTimersByTimeAsync(0);
    made.server.say('ready', {});
    await vi.advanceTimersByTimeAsync(2000);
    return made;
  }

  it('bring a change at once, and spare the polling', async () => {
    const { model, server, ids } = await listening([away('a')]);
    server.change([away('b'), ...server.stored]);

    server.say('created', { id: 'b' });
    await vi.advanceTimersByTimeAsync(0);

    expect(ids()).toEqual({ recent: ['b', 'a'] });
    expect(model.isTold.value).toBe(true);
    model.sleep();
  });

  it('lead to few refreshes, however many come', async () => {
    const { model, server } = await listening([away('a')]);
    const before = server.asked.length;

    for (let number = 0; number < 20; number++) {
      server.say('changed', { id: 'a' });
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(1000);

    expect(server.asked.length - before).toBeLessThanOrEqual(7);
    model.sleep();
  });

  it('take a session away that went to the trash, also out of a preview', async () => {
    const { model, server, ids } = await listening([away('a'), away('b')]);
    await model.openPreview('a');

    server.say('trashed', { id: 'a' });
    await vi.advanceTimersByTimeAsync(0);

    expect(ids().recent).toEqual(['b']);
    expect(model.state.value.preview).toBeNull();
    model.sleep();
  });

  it('tell how long no resume is let in', async () => {
    const { model, server } = await listening();

    server.say('limited', { operation: 'resume', retry_after_s: 7 });
    await vi.advanceTimersByTimeAsync(0);

    expect(model.state.value.resumeBlockedUntil_ms).toBe(Date.now() + 7000);
    model.sleep();
  });

  it('are waited for by asking when they stop', async () => {
    const { model, server } = await listening();

    server.streams[0].close();
    await vi.advanceTimersByTimeAsync(0);

    expect(model.isTold.value).toBe(false);
    model.sleep();
  });
});

describe('the trash', () => {
  it('takes many at once, and one undo gives all back', async () => {
    const { model, server, ids, told, press } = setUp(many(9));
    await model.refresh();

    await model.removeAll(['s1', 's3', 's5']);
    const left = ids().recent;
    const notice = told('done');
    await press('done', 'Undo');

    expect(left).toEqual(['s0', 's2', 's4', 's6', 's7', 's8']);
    expect(notice).toMatchObject({ title: 'Moved 3 sessions to the trash', lines: ['s1', 's3', 's5'] });
    expect(server.trash).toEqual([]);
    expect(ids().recent).toHaveLength(9);
  });

  it('names what it did not take, and why', async () => {
    const { model, server, told, ids } = setUp(many(3));
    await model.refresh();
    const { remove } = server;
    server.remove = id => (id === 's1' ? Promise.reject(new ProblemError(problem({ detail: 'It is open.' }))) : remove(id));

    await model.removeAll(['s0', 's1']);

    expect(told('done')?.title).toBe('Moved to the trash');
    expect(told('refused')?.lines).toEqual(['s1: It is open.']);
    expect(ids().recent).toEqual(['s1', 's2']);
  });

  it('is told of for a while', async () => {
    const { model, told } = setUp(many(2));
    await model.refresh();
    await model.remove('s0');
    const early = told('done')?.title;

    await vi.advanceTimersByTimeAsync(30_000);

    expect(early).toBe('Moved to the trash');
    expect(told('done')).toBeUndefined();
  });

  it('counts what it took once, however often that is told', async () => {
    const { model, server } = setUp(many(3));
    await model.refresh();
    model.wake();
    await vi.advanceTimersByTimeAsync(0);

    await model.remove('s0');
    server.say('trashed', { id: 's0' });
    await vi.advanceTimersByTimeAsync(0);

    expect(model.state.value.count).toBe(2);
    model.sleep();
  });

  it('gives back a session of its group', async () => {
    const { model, server, ids } = setUp([]);
    server.trash = [away('gone')];
    await model.refresh();

    await model.restore('gone');

    expect(ids()).toEqual({ recent: ['gone'] });
  });
});

describe('choosing', () => {
  it('begins empty, and ends with what is done to the chosen', async () => {
    const { model } = setUp(many(3));
    await model.refresh();
    model.select(true);
    model.toggleSelected('s0');
    model.toggleSelected('s1');
    model.toggleSelected('s0');
    const chosen = [...model.selection.value!];

    await model.archiveAll(model.selection.value!);

    expect(chosen).toEqual(['s1']);
    expect(model.selection.value?.size).toBe(0);
    model.select(false);
    expect(model.selection.value).toBeNull();
  });

  it('adds tags to those that each has, and undo takes them off', async () => {
    const { model, server, press } = setUp([away('a', { tags: ['x'] }), away('b')]);
    await model.refresh();

    await model.tagAll(['a', 'b'], ['x', 'y']);
    const tagged = server.stored.map(({ tags }) => tags);
    await press('done', 'Undo');

    expect(tagged).toEqual([['x', 'y'], ['x', 'y']]);
    expect(server.stored.map(({ tags }) => tags)).toEqual([['x'], []]);
  });
});

describe('archive', () => {
  it('can be undone at once', async () => {
    const { model, ids, press } = setUp([away('a')]);
    await model.refresh();

    await model.edit('a', { archived: true });
    const archived = ids();
    await press('done', 'Undo');

    expect(archived).toEqual({ archived: ['a'] });
    expect(ids()).toEqual({ recent: ['a'] });
  });
});

describe('a copy', () => {
  it('is stored, named, and may be resumed', async () => {
    const { model, server, told, press } = setUp([away('a')]);
    await model.refresh();

    await model.fork('a', 'm2');
    const notice = told('done');
    await press('done', 'Resume');

    expect(notice).toMatchObject({ title: 'Copied', lines: ['Outliers (fork) at m2'] });
    expect(server.done).toEqual(['resume a-copy']);
  });
});

describe('files', () => {
  it('are downloaded one for each session', async () => {
    const { model, page, told } = setUp(many(3));
    await model.refresh();

    await model.export(['s0', 's2'], 'markdown');

    expect(page.downloads.sort()).toEqual(['s0.markdown', 's2.markdown']);
    expect(told('done')?.title).toBe('Exported 2 sessions');
  });

  it('are imported, and each that is refused is told with its reason', async () => {
    const { model, server, told, ids } = setUp([]);
    await model.refresh();
    const accept = server.import;
    server.import = file =>
      file.name === 'bad.json' ? Promise.reject(new ProblemError(problem({ detail: 'It is no session.' }))) : accept(file);

    await model.import([new File([''], 'bad.json'), new File([''], 'good.json')]);

    expect(told('done')?.lines).toEqual(['From good.json']);
    expect(told('refused')?.lines).toEqual(['bad.json: It is no session.']);
    expect(ids().recent).toEqual(['good.json']);
  });

  it('whose sessions are here already say so', async () => {
    const { model, server, told } = setUp();
    const known = { ...summary({ title: 'Outliers' }), is_new: false, notes: [] };
    server.import = async () => ({
      sessions: [
        { ...known, is_trashed: false },
        { ...known, is_trashed: true }
      ],
      failed: [problem({ detail: 'One is damaged.' })]
    });

    await model.import([new File([''], 'a.json')]);

    expect(told('done')?.lines).toEqual([
      'Outliers: it was here already',
      'Outliers: it is in the trash already; restore it there'
    ]);
    expect(told('refused')?.lines).toEqual(['a.json: One is damaged.']);
  });

  it('have formats that are asked for once', async () => {
    const { model, server } = setUp();
    const asked = vi.spyOn(server, 'formats');

    expect(await model.formats()).toEqual(['json', 'markdown']);
    await model.formats();

    expect(asked).toHaveBeenCalledTimes(1);
  });
});

describe('resume', () => {
  it('makes a notebook where there is none', async () => {
    const { model, server, page } = setUp();
    page.notebook.value = null;

    await model.resume('s1');

    expect(server.done).toEqual(['resume s1 inNew']);
  });

  it('offers the ways on when another notebook has it open', async () => {
    const owner = { kind: 'kernel', notebook: '/srv/me/other.ipynb', host: 'gpu-7', pid: 9 };
    const { model, server, told, press } = setUp([summary({ state: 'open', owner })]);
    await model.refresh();

    await model.resume('s1');
    const notice = told('resume');
    const before = [...server.done];
    await press('resume', 'Take over');

    expect(before).toEqual([]);
    expect(notice?.actions?.map(({ label }) => label)).toEqual(['Take over', 'Fork', 'Read only']);
    expect(server.done).toEqual(['resume s1 takeOver']);
  });

  it('goes on where the notebook in front has it open', async () => {
    const owner = { kind: 'kernel', notebook: '/srv/me/notes/report.ipynb', host: 'gpu-7', pid: 9 };
    const { model, server } = setUp([summary({ state: 'open', owner })]);
    await model.refresh();

    await model.resume('s1');

    expect(server.done).toEqual(['resume s1']);
  });

  it('offers a Python notebook to whoever has another language in front', async () => {
    const { model, server, told, press } = setUp();
    const accept = server.resume;
    server.resume = () => Promise.reject(new ProblemError(problem({ code: 'not_python', detail: 'It runs R.' })));
    await model.resume('s1');
    server.resume = accept;
    const notice = told('resume');

    await press('resume', 'New Python notebook');

    expect(notice?.lines).toEqual(['It runs R.']);
    expect(server.done).toEqual(['resume s1 inNew']);
  });

  it('counts down what the limit refuses', async () => {
    const { model, server } = setUp();
    server.resume = () => Promise.reject(new ProblemError(RATE_LIMITED));

    await model.resume('s1');

    expect(model.state.value.resumeBlockedUntil_ms).toBe(NOW_MS + 3000);
  });
});

describe('a preview', () => {
  it('follows what is changed in it', async () => {
    const { model, server } = setUp();
    await model.refresh();
    await model.openPreview('s1');

    await model.edit('s1', { title: 'Weeks' });

    expect(model.state.value.preview?.head).toEqual(head({ ...server.stored[0] }));
    expect(model.state.value.preview?.head?.title).toBe('Weeks');
    expect(model.state.value.preview?.messages).toHaveLength(1);
  });
});
