// @vitest-environment jsdom

import { act, fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeSessions, FakeStore } from '../../test/fakes';
import { message, NOW_MS, problem, RATE_LIMITED, summary } from '../../test/samples';
import { SessionsModel } from '../model';
import { Notices } from '../notices';
import { ProblemError } from '../problem';
import { SidebarApp } from './SidebarApp';

async function show(transport = new FakeSessions()) {
  const notices = new Notices();
  const sessions = new SessionsModel(transport, notices, Date.now);
  const { container } = render(
    <SidebarApp sessions={sessions} notices={notices} clock={Date.now} />
  );
  await act(() => sessions.refresh());
  return { sessions, transport, container };
}

async function click(element: HTMLElement): Promise<void> {
  await act(async () => {
    fireEvent.click(element);
  });
}

async function search(text: string): Promise<void> {
  fireEvent.change(screen.getByTestId('jido-search'), { target: { value: text } });
  await act(async () => void (await vi.advanceTimersByTimeAsync(300)));
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the list', () => {
  it('shows each session with its time, size and notebook', async () => {
    await show();

    const row = screen.getByTestId('jido-session-row');
    expect(row.dataset.sessionId).toBe('s1');
    expect(row.textContent).toContain('5 min ago');
    expect(row.textContent).toContain('2 messages');
    expect(row.textContent).toContain('report.ipynb');
    expect(screen.getByRole('list', { name: 'Sessions' }).contains(row)).toBe(true);
  });

  it('tells a newcomer how to begin', async () => {
    await show(new FakeSessions([]));

    expect(screen.getByTestId('jido-empty').textContent).toBe(
      'No sessions yet. In a notebook: %load_ext jido_jupyter, then %%jido and a question.'
    );
  });

  it('shows where a session is open and who holds it', async () => {
    const owner = { kind: 'notebook', notebook: 'ml/train.ipynb', host: 'gpu-7', pid: 99 };
    await show(new FakeSessions([summary({ state: 'open', owner })]));

    const badge = screen.getByText('Open in train.ipynb');
    expect(badge.title).toBe('Held by ml/train.ipynb on gpu-7, process 99.');
  });

  it('shows what is wrong with a damaged session', async () => {
    await show(new FakeSessions([summary({ state: 'damaged', problems: ['Record 17 is damaged.'] })]));

    const text = screen.getByTestId('jido-session-row').textContent;
    expect(text).toContain('Damaged');
    expect(text).toContain('Record 17 is damaged.');
    expect(screen.queryByTestId('jido-resume')).toBeNull();
  });

  it('writes titles as text', async () => {
    const title = '<img src=x onerror=alert(1)>';
    const { container } = await show(new FakeSessions([summary({ title, preview: title })]));

    expect(container.querySelector('img')).toBeNull();
    expect(screen.getByTestId('jido-session-row').textContent).toContain(title);
  });

  it('names the session in each button', async () => {
    await show();

    const names = ['jido-preview', 'jido-delete', 'jido-resume'].map(id =>
      screen.getByTestId(id).getAttribute('aria-label')
    );
    expect(names).toEqual(['Preview Outliers', 'Delete Outliers', 'Resume Outliers']);
  });

  it('narrows down while one types', async () => {
    await show(new FakeSessions([summary({ id: 'a', title: 'Gradient' }), summary({ id: 'b' })]));

    await search('grad');

    expect(screen.getAllByTestId('jido-session-row').map(row => row.dataset.sessionId)).toEqual(['a']);
    expect(screen.getByText('1 of 2')).toBeTruthy();
  });

  it('stays on show while the server is away, and the reason goes when it is back', async () => {
    const { sessions, transport } = await show();
    const find = transport.find;
    transport.find = () => Promise.reject(new ProblemError(problem({ detail: 'Server is away.' })));
    await act(() => sessions.refresh());
    const away = screen.getByTestId('jido-problem').textContent;
    const rows = screen.getAllByTestId('jido-session-row').length;
    transport.find = find;

    await act(() => sessions.refresh());

    expect(away).toContain('Server is away.');
    expect(rows).toBe(1);
    expect(screen.queryByTestId('jido-problem')).toBeNull();
  });
});

describe('delete', () => {
  it('moves nothing before it is confirmed', async () => {
    const { transport } = await show();

    await click(screen.getByTestId('jido-delete'));

    expect(screen.getByText('Move to trash?')).toBeTruthy();
    expect(transport.stored).toHaveLength(1);
    expect(document.activeElement).toBe(screen.getByTestId('jido-confirm-delete'));
  });

  it('moves the session once confirmed', async () => {
    const { transport } = await show();
    await click(screen.getByTestId('jido-delete'));

    await click(screen.getByTestId('jido-confirm-delete'));

    expect(transport.stored).toEqual([]);
    expect(screen.queryByTestId('jido-session-row')).toBeNull();
  });

  it('is called off by Escape, and the focus goes back to its button', async () => {
    const { transport } = await show();
    await click(screen.getByTestId('jido-delete'));

    fireEvent.keyDown(screen.getByTestId('jido-confirm-delete'), { key: 'Escape' });

    expect(transport.stored).toHaveLength(1);
    expect(document.activeElement).toBe(screen.getByTestId('jido-delete'));
  });
});

describe('resume', () => {
  it('counts down after a refusal and is possible again after it', async () => {
    const { transport } = await show();
    const accept = transport.resume;
    transport.resume = () => Promise.reject(new ProblemError(RATE_LIMITED));
    await click(screen.getByTestId('jido-resume'));
    transport.resume = accept;
    const seen: string[] = [];
    const button = () => screen.getByTestId<HTMLButtonElement>('jido-resume');

    for (let second = 0; second < 4; second++) {
      seen.push(`${button().textContent}${button().disabled ? ' (disabled)' : ''}`);
      act(() => vi.advanceTimersByTime(1000));
    }
    await click(button());

    expect(seen).toEqual([
      'Resume in 3 s (disabled)',
      'Resume in 2 s (disabled)',
      'Resume in 1 s (disabled)',
      'Resume'
    ]);
    expect(transport.resumed).toEqual(['s1']);
  });

  it('tells of a refusal until that is dismissed', async () => {
    const { transport } = await show();
    transport.resume = () => Promise.reject(new ProblemError(problem({ title: 'No notebook' })));
    await click(screen.getByTestId('jido-resume'));
    const told = screen.getByTestId('jido-problem');

    await click(within(told).getByRole('button', { name: 'Dismiss: No notebook' }));

    expect(told.textContent).toContain('This cannot be done now.');
    expect(screen.queryByTestId('jido-problem')).toBeNull();
  });
});

describe('preview', () => {
  it('shows the messages to read and goes back to the list', async () => {
    const said = [message({ id: 'u', role: 'user' }), message({ status: 'interrupted' })];
    const transport = new FakeSessions([summary()], said);
    await show(transport);

    await click(screen.getByTestId('jido-preview'));
    const shown = screen
      .getAllByTestId('jido-message')
      .map(({ dataset }) => `${dataset.role} ${dataset.status}`);
    const composer = screen.queryByTestId('jido-composer');
    await click(screen.getByTestId('jido-back'));

    expect(shown).toEqual(['user complete', 'assistant interrupted']);
    expect(composer).toBeNull();
    expect(screen.getByTestId('jido-session-row')).toBeTruthy();
  });

  it('leaves the search as it was', async () => {
    await show(new FakeSessions([summary({ id: 'a', title: 'Gradient' }), summary({ id: 'b' })]));
    await search('grad');

    await click(screen.getByTestId('jido-preview'));
    await click(screen.getByTestId('jido-back'));

    expect(screen.getAllByTestId('jido-session-row').map(row => row.dataset.sessionId)).toEqual(['a']);
  });
});

describe('the keyboard', () => {
  const rows = () => screen.getAllByTestId('jido-session-row');
  const press = async (key: string) =>
    act(async () => {
      fireEvent.keyDown(document.activeElement!, { key });
    });

  it('walks through the rows, of which Tab meets one', async () => {
    await show(new FakeSessions([summary({ id: 'a' }), summary({ id: 'b' }), summary({ id: 'c' })]));
    act(() => rows()[0].focus());

    await press('ArrowDown');
    const second = document.activeElement;
    await press('End');

    expect(second).toBe(rows()[1]);
    expect(document.activeElement).toBe(rows()[2]);
    expect(rows().map(row => row.tabIndex)).toEqual([-1, -1, 0]);
  });

  it('opens, renames and deletes the row it is on', async () => {
    const transport = new FakeStore();
    await show(transport);
    act(() => rows()[0].focus());
    await press('F2');
    fireEvent.change(screen.getByLabelText('New title of Outliers'), { target: { value: ' Weeks ' } });
    await press('Enter');
    const renamed = transport.stored[0].title;

    act(() => rows()[0].focus());
    await press('Delete');

    expect(renamed).toBe('Weeks');
    expect(screen.getByText('Move to trash?')).toBeTruthy();
  });
});

describe('what only some hosts can', () => {
  it('is offered where it is possible', async () => {
    const transport = new FakeStore();
    await show(transport);

    await click(screen.getByTestId('jido-pin'));

    expect(transport.stored[0].pinned).toBe(true);
    expect(screen.getByTestId('jido-pin').getAttribute('aria-label')).toBe('Unpin Outliers');
  });

  it('is not offered elsewhere', async () => {
    await show();

    expect(screen.queryByTestId('jido-pin')).toBeNull();
    expect(screen.queryByTestId('jido-filter-trashed')).toBeNull();
  });
});
