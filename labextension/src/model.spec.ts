import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { broken, FakeSessions } from '../test/fakes';
import { detail, NOW_MS, problem, RATE_LIMITED, summary } from '../test/samples';
import { SessionsModel } from './model';
import { Notices } from './notices';
import { ProblemError } from './problem';

function setUp(transport = new FakeSessions()) {
  const notices = new Notices();
  const model = new SessionsModel(transport, notices, Date.now);
  return { model, notices, transport };
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

    expect(model.state.value.sessions?.map(session => session.id)).toEqual(['a', 'b']);
    expect(model.state.value.connection.kind).toBe('live');
  });

  it('repaints nothing when nothing changed', async () => {
    const { model, transport } = setUp();
    await model.refresh();
    transport.list = async () => null;
    const before = model.state.value;

    await model.refresh();

    expect(model.state.value).toBe(before);
  });

  it('keeps the list and tells why when the store cannot be reached', async () => {
    const { model, transport } = setUp();
    await model.refresh();
    transport.list = () => Promise.reject(new ProblemError(problem({ code: 'unreachable' })));

    await model.refresh();

    expect(model.state.value.sessions).toHaveLength(1);
    expect(model.state.value.connection).toMatchObject({
      kind: 'lost',
      problem: { code: 'unreachable' }
    });
  });

  it('recovers by the next answer, also by one which says that nothing changed', async () => {
    const { model, transport } = setUp();
    const list = broken(new ProblemError(problem()), async () => null);
    transport.list = list.call;
    await model.refresh();
    list.heal();

    await model.refresh();

    expect(model.state.value.connection.kind).toBe('live');
  });

  it('repaints once for a failure which repeats', async () => {
    const { model, transport } = setUp();
    transport.list = () => Promise.reject(new ProblemError(problem()));
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
        ? new Promise(resolve => (answerSlowly = () => resolve(detail({ id }))))
        : Promise.resolve(detail({ id }));
    const slow = model.openPreview('slow');
    await model.openPreview('quick');

    answerSlowly();
    await slow;

    expect(model.state.value.preview?.detail?.id).toBe('quick');
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
    expect(model.state.value.busy.size).toBe(0);
  });
});

describe('remove', () => {
  it('takes the session off the list without waiting for the next poll', async () => {
    const { model } = setUp(new FakeSessions([summary({ id: 'a' }), summary({ id: 'b' })]));
    await model.refresh();

    await model.remove('a');

    expect(model.state.value.sessions?.map(session => session.id)).toEqual(['b']);
  });

  it('keeps the session on the list when the store refuses', async () => {
    const { model, notices, transport } = setUp();
    await model.refresh();
    transport.remove = () => Promise.reject(new ProblemError(problem({ code: 'session_open' })));

    await model.remove('s1');

    expect(model.state.value.sessions).toHaveLength(1);
    expect(notices.state.value).toMatchObject([{ kind: 'problem', topic: 'delete' }]);
  });
});
