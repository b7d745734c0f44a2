import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { broken, FakeSessions, FakeStore } from '../test/fakes';
import { head, message, NOW_MS, problem, RATE_LIMITED, summary } from '../test/samples';
import { ISessionsModel, SessionsModel } from './model';
import { Notices } from './notices';
import { ProblemError } from './problem';

function setUp(transport = new FakeSessions()) {
  const notices = new Notices();
  const model = new SessionsModel(transport, notices, Date.now);
  return { model, notices, transport };
}

function ids(model: ISessionsModel): string[] | undefined {
  return model.state.value.hits?.map(({ session }) => session.id);
}

function many(count: number) {
  return Array.from({ length: count }, (_, number) => summary({ id: `s${number}`, title: `Session ${number}` }));
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('refresh', () => {
  it('shows what the store holds', async () => {
    const { model } = setUp(new FakeSessions([summary({ id: 'a' }), summary({ id: 'b' })]));

    await model.refresh();

    expect(ids(model)).toEqual(['a', 'b']);
    expect(model.state.value.connection.kind).toBe('live');
  });

  it('repaints nothing when nothing changed', async () => {
    const { model, transport } = setUp();
    await model.refresh();
    transport.find = async () => null;
    const before = model.state.value;

    await model.refresh();

    expect(model.state.value).toBe(before);
  });

  it('keeps the list and tells why when the store cannot be reached', async () => {
    const { model, transport } = setUp();
    await model.refresh();
    transport.find = () => Promise.reject(new ProblemError(problem({ code: 'unreachable' })));

    await model.refresh();

    expect(ids(model)).toHaveLength(1);
    expect(model.state.value.connection).toMatchObject({
      kind: 'lost',
      problem: { code: 'unreachable' }
    });
  });

  it('recovers by the next answer, also by one which says that nothing changed', async () => {
    const { model, transport } = setUp();
    const list = broken(new ProblemError(problem()), async () => null);
    transport.find = list.call;
    await model.refresh();
    list.heal();

    await model.refresh();

    expect(model.state.value.connection.kind).toBe('live');
  });

  it('repaints once for a failure which repeats', async () => {
    const { model, transport } = setUp();
    transport.find = () => Promise.reject(new ProblemError(problem()));
    await model.refresh();
    const before = model.state.value;

    await model.refresh();

    expect(model.state.value).toBe(before);
  });
});

describe('preview', () => {
  it('shows the session asked for last, whatever arrives last', async () => {
    const { model, transport } = setUp();
    let answerSlowly = (): void => {};
    transport.show = id =>
      id === 'slow'
        ? new Promise(resolve => (answerSlowly = () => resolve(head({ id }))))
        : Promise.resolve(head({ id }));
    const slow = model.openPreview('slow');
    await model.openPreview('quick');

    answerSlowly();
    await slow;

    expect(model.state.value.preview?.head?.id).toBe('quick');
  });

  it('goes back to the list with a notice when the session cannot be read', async () => {
    const { model, notices, transport } = setUp();
    transport.show = () => Promise.reject(new ProblemError(problem({ detail: 'It is gone.' })));

    await model.openPreview('s1');

    expect(model.state.value.preview).toBeNull();
    expect(notices.state.value[0].lines).toEqual(['It is gone.']);
  });
});

describe('resume', () => {
  it('shows the lines of the briefing', async () => {
    const { model, notices, transport } = setUp();
    transport.resume = async () => ({
      completeness: 'full context, 42 turns',
      age_s: 60,
      repairs: [],
      lines: ['Full context.', '2 cells changed.']
    });

    await model.resume('s1');

    expect(notices.state.value).toMatchObject([
      { kind: 'information', lines: ['Full context.', '2 cells changed.'] }
    ]);
  });

  it('asks for nothing until a refused resume may be tried again', async () => {
    const { model, transport } = setUp();
    const accept = transport.resume;
    transport.resume = () => Promise.reject(new ProblemError(RATE_LIMITED));
    await model.resume('s1');
    transport.resume = accept;

    vi.advanceTimersByTime(2999);
    await model.resume('s1');
    const early = [...transport.resumed];
    vi.advanceTimersByTime(1);
    await model.resume('s1');

    expect(early).toEqual([]);
    expect(transport.resumed).toEqual(['s1']);
  });

  it('takes the refusal away when a later resume succeeds', async () => {
    const { model, notices, transport } = setUp();
    const accept = transport.resume;
    transport.resume = () => Promise.reject(new ProblemError(problem()));
    await model.resume('s1');
    const told = notices.state.value.length;
    transport.resume = accept;

    await model.resume('s1');

    expect(told).toBe(1);
    expect(notices.state.value).toEqual([]);
  });

  it('is asked once, however often the button is pressed', async () => {
    const { model, transport } = setUp();

    await Promise.all([model.resume('s1'), model.resume('s1')]);

    expect(transport.resumed).toEqual(['s1']);
  });

  it('tells of a fault of ours in words and stays usable', async () => {
    const { model, notices, transport } = setUp();
    transport.resume = () => Promise.reject(new TypeError('x is undefined'));

    await model.resume('s1');

    expect(notices.state.value[0].lines[0]).toContain('x is undefined');
    expect(model.busy.value.size).toBe(0);
  });
});

describe('remove', () => {
  it('takes the session off the list without waiting for the next poll', async () => {
    const { model } = setUp(new FakeSessions([summary({ id: 'a' }), summary({ id: 'b' })]));
    await model.refresh();

    await model.remove('a');

    expect(ids(model)).toEqual(['b']);
  });

  it('keeps the session on the list when the store refuses', async () => {
    const { model, notices, transport } = setUp();
    await model.refresh();
    transport.remove = () => Promise.reject(new ProblemError(problem({ code: 'session_open' })));

    await model.remove('s1');

    expect(ids(model)).toHaveLength(1);
    expect(notices.state.value).toMatchObject([{ kind: 'problem', topic: 'delete' }]);
  });
});

describe('a long list', () => {
  it('comes page by page, each once', async () => {
    const { model, transport } = setUp(new FakeSessions(many(120)));
    await model.refresh();

    await Promise.all([model.more(), model.more()]);
    await model.more();
    await model.more();

    expect(ids(model)).toEqual(many(120).map(({ id }) => id));
    expect(model.state.value.hasMore).toBe(false);
    expect(transport.asked.map(asked => asked.split('|')[1])).toEqual(['', '50', '100']);
  });

  it('is brought up to date at its start without losing what was scrolled to', async () => {
    const { model, transport } = setUp(new FakeSessions(many(600)));
    await model.refresh();
    for (let page = 1; page < 8; page++) {
      await model.more();
    }
    transport.stored = [summary({ id: 'newest' }), ...transport.stored];

    await model.refresh();

    expect(ids(model)?.[0]).toBe('newest');
    expect(ids(model)).toHaveLength(400);
    expect(new Set(ids(model)).size).toBe(400);
  });

  it('is not asked for while nobody looks at it', async () => {
    const { model, transport } = setUp();

    await model.changed();
    const unwatched = transport.asked.length;
    const leave = model.watch();
    await model.changed();
    leave();
    await model.changed();

    expect([unwatched, transport.asked.length]).toEqual([0, 2]);
  });
});

describe('search', () => {
  it('shows the answer to what was asked for last', async () => {
    const transport = new FakeSessions([summary({ id: 'a', title: 'Gradient' }), summary({ id: 'b' })]);
    const { model } = setUp(transport);
    const find = transport.find;
    let answerSlowly = (): void => {};
    transport.find = (wanted, cursor, limit) =>
      wanted.text === 'grad'
        ? new Promise(resolve => (answerSlowly = () => resolve(find(wanted, cursor, limit))))
        : find(wanted, cursor, limit);
    const slow = model.search({ text: 'grad' });
    await model.search({ text: 'outl' });

    const isSearching = model.state.value.isSearching;
    answerSlowly();
    await slow;

    expect(isSearching).toBe(false);
    expect(ids(model)).toEqual(['b']);
  });

  it('says that it is under way', async () => {
    const { model } = setUp();

    const search = model.search({ text: 'outl' });
    const during = model.state.value.isSearching;
    await search;

    expect([during, model.state.value.isSearching]).toEqual([true, false]);
  });

  it('says why a filter means nothing, and keeps the list', async () => {
    const { model, transport } = setUp();
    await model.refresh();
    transport.find = () => Promise.reject(new ProblemError(problem({ code: 'invalid_field', detail: 'Write is:open.' })));

    await model.search({ text: 'is:opn' });

    expect(model.state.value.refusal).toBe('Write is:open.');
    expect(ids(model)).toHaveLength(1);
    expect(model.state.value.connection.kind).toBe('live');
  });
});

describe('the trash', () => {
  it('gives back what was just moved there', async () => {
    const { model, notices } = setUp(new FakeStore([summary({ id: 'a' }), summary({ id: 'b' })]));
    await model.refresh();
    await model.remove('a');
    const without = ids(model);

    notices.state.value.find(({ topic }) => topic === 'delete')?.actions?.[0].act();
    await vi.waitFor(() => expect(ids(model)).toEqual(['a', 'b']));

    expect(without).toEqual(['b']);
  });
});

describe('a session that is open elsewhere', () => {
  it('can be taken over, forked or read', async () => {
    const transport = new FakeStore();
    const { model, notices } = setUp(transport);
    transport.resume = (id, { takeOver } = {}) =>
      takeOver
        ? Promise.resolve(transport.resumed.push(id)).then(() => null)
        : Promise.reject(new ProblemError(problem({ code: 'session_open' })));
    await model.resume('s1');
    const offered = notices.state.value[0].actions ?? [];

    offered[0].act();
    await vi.waitFor(() => expect(transport.resumed).toEqual(['s1']));

    expect(offered.map(({ label }) => label)).toEqual(['Take over', 'Fork', 'Read only']);
  });
});

describe('a preview of a long session', () => {
  it('loads its last page, and the others as they come into view', async () => {
    const said = Array.from({ length: 250 }, (_, number) => message({ id: `m${number}` }));
    const { model } = setUp(new FakeSessions([summary()], said));
    await model.openPreview('s1');
    const atFirst = model.state.value.preview?.messages.map(found => found?.id);

    model.need(120);
    await vi.waitFor(() => expect(model.state.value.preview?.messages[120]?.id).toBe('m120'));

    expect(atFirst?.length).toBe(250);
    expect(atFirst?.[149]).toBeUndefined();
    expect(atFirst?.[150]).toBe('m150');
    expect(model.state.value.preview?.messages[99]).toBeNull();
  });
});
