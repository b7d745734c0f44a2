// @vitest-environment jsdom

import { act, fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePage, FakeServer } from '../../test/fakes';
import { message, NOW_MS, problem, RATE_LIMITED, summary } from '../../test/samples';
import { Lazy } from '../lazy';
import { Notices } from '../notices';
import { ProblemError } from '../problem';
import { SidebarModel } from '../sidebarmodel';
import { Seal } from '../types';
import { SidebarApp } from './SidebarApp';
import { Transcript } from './Transcript';

async function show(transport = new FakeServer(), load = async () => Transcript) {
  const notices = new Notices();
  const page = new FakePage();
  const sessions = new SidebarModel(transport, notices, Date.now, page);
  const { container } = render(
    <SidebarApp sessions={sessions} notices={notices} transcript={new Lazy(load)} clock={Date.now} />
  );
  await act(() => sessions.refresh());
  return { sessions, transport, container, page };
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
    await show(new FakeServer([]));

    expect(screen.getByTestId('jido-empty').textContent).toBe(
      'No sessions yet. In a notebook: %load_ext jido_jupyter, then %%jido and a question.'
    );
  });

  it('shows where a session is open and who holds it', async () => {
    const owner = { kind: 'notebook', notebook: 'ml/train.ipynb', host: 'gpu-7', pid: 99 };
    await show(new FakeServer([summary({ state: 'open', owner })]));

    const badge = screen.getByText('Open in train.ipynb');
    expect(badge.title).toBe('Held by ml/train.ipynb on gpu-7, process 99.');
  });

  it('shows what is wrong with a damaged session', async () => {
    await show(new FakeServer([summary({ state: 'damaged', problems: ['Record 17 is damaged.'] })]));

    const text = screen.getByTestId('jido-session-row').textContent;
    expect(text).toContain('Damaged');
    expect(text).toContain('Record 17 is damaged.');
    expect(screen.queryByTestId('jido-resume')).toBeNull();
  });

  it('writes titles as text', async () => {
    const title = '<img src=x onerror=alert(1)>';
    const { container } = await show(new FakeServer([summary({ title, preview: title })]));

    expect(container.querySelector('img')).toBeNull();
    expect(screen.getByTestId('jido-session-row').textContent).toContain(title);
  });

  it('names the session in each button', async () => {
    await show();

    const ids = ['jido-pin', 'jido-delete', 'jido-more', 'jido-resume', 'jido-resume-where'];
    expect(ids.map(id => screen.getByTestId(id).getAttribute('aria-label'))).toEqual([
      'Pin Outliers',
      'Delete Outliers',
      'More for Outliers',
      'Resume Outliers',
      'Where to resume Outliers'
    ]);
  });

  it('narrows down while one types', async () => {
    await show(new FakeServer([summary({ id: 'a', title: 'Gradient' }), summary({ id: 'b' })]));

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
  it('moves the session at once, and undo brings it back', async () => {
    const { transport } = await show();

    await click(screen.getByTestId('jido-delete'));
    const left = transport.stored.length;
    await click(screen.getByRole('button', { name: 'Undo' }));

    expect(left).toBe(0);
    expect(screen.getByTestId('jido-session-row').dataset.sessionId).toBe('s1');
  });

  it('leaves the focus with the row that takes its place', async () => {
    await show(new FakeServer(['a', 'b', 'c'].map(id => summary({ id }))));
    const rows = () => screen.getAllByTestId('jido-session-row');
    act(() => rows()[1].focus());

    await act(async () => void fireEvent.keyDown(rows()[1], { key: 'Delete' }));

    expect(rows().map(row => row.dataset.sessionId)).toEqual(['a', 'c']);
    expect(document.activeElement).toBe(rows()[1]);
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
    expect(transport.done).toEqual(['resume s1']);
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
    const transport = new FakeServer([summary()], said);
    await show(transport);

    await click(screen.getByRole('button', { name: /^Preview/ }));
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
    await show(new FakeServer([summary({ id: 'a', title: 'Gradient' }), summary({ id: 'b' })]));
    await search('grad');

    await click(screen.getByRole('button', { name: /^Preview/ }));
    await click(screen.getByTestId('jido-back'));

    expect(screen.getAllByTestId('jido-session-row').map(row => row.dataset.sessionId)).toEqual(['a']);
  });
});

describe('the code for messages', () => {
  const lost = new Error('Loading chunk 108 failed.');
  const preview = () => click(screen.getByRole('button', { name: /^Preview/ }));
  const whenIdle = () => act(async () => void (await vi.advanceTimersByTimeAsync(10_000)));

  it('comes once, when the list stands there and the browser is idle', async () => {
    const load = vi.fn(async () => Transcript);
    const { sessions } = await show(new FakeServer(), load);
    const atFirst = load.mock.calls.length;
    await whenIdle();
    const idle = load.mock.calls.length;

    await act(() => sessions.refresh());
    await whenIdle();
    await preview();

    expect([atFirst, idle]).toEqual([0, 1]);
    expect(load).toHaveBeenCalledTimes(1);
    expect(screen.getByTestId('jido-message')).toBeTruthy();
  });

  it('is waited for where one reads, and the rest of the preview is not', async () => {
    let arrive = (_: typeof Transcript): void => undefined;
    await show(new FakeServer(), () => new Promise(resolve => (arrive = resolve)));

    await preview();
    const meanwhile = screen.getByTestId('jido-preview-view').textContent;
    await act(async () => arrive(Transcript));

    expect(meanwhile).toContain('Outliers');
    expect(meanwhile).toContain('Loading…');
    expect(screen.getByTestId('jido-preview-view').textContent).not.toContain('Loading…');
    expect(screen.getByTestId('jido-message').textContent).toContain('Week 32 stands out.');
  });

  it('is asked for again where it did not come', async () => {
    const load = vi.fn(async () => Transcript).mockRejectedValueOnce(lost);
    await show(new FakeServer(), load);

    await preview();
    const told = screen.getByTestId('jido-not-loaded').textContent;
    await click(screen.getByRole('button', { name: 'Try again' }));

    expect(told).toContain('Try again, or reload the page.');
    expect(screen.queryByTestId('jido-not-loaded')).toBeNull();
    expect(screen.getByTestId('jido-message')).toBeTruthy();
  });

  it('is not missed where nobody reads, and asked for again where somebody does', async () => {
    const load = vi.fn(async () => Transcript).mockRejectedValueOnce(lost);
    const { container } = await show(new FakeServer(), load);
    await whenIdle();
    const told = container.querySelector('[role="alert"]');

    await preview();

    expect(told).toBeNull();
    expect(load).toHaveBeenCalledTimes(2);
    expect(screen.getByTestId('jido-message')).toBeTruthy();
  });
});

describe('the keyboard', () => {
  const rows = () => screen.getAllByTestId('jido-session-row');
  const press = async (key: string) =>
    act(async () => {
      fireEvent.keyDown(document.activeElement!, { key });
    });

  it('walks through the rows, of which Tab meets one', async () => {
    await show(new FakeServer([summary({ id: 'a' }), summary({ id: 'b' }), summary({ id: 'c' })]));
    act(() => rows()[0].focus());

    await press('ArrowDown');
    const second = document.activeElement;
    await press('End');

    expect(second).toBe(rows()[1]);
    expect(document.activeElement).toBe(rows()[2]);
    expect(rows().map(row => row.tabIndex)).toEqual([-1, -1, 0]);
  });

  it('renames the row it is on, and opens it', async () => {
    const { transport } = await show();
    act(() => rows()[0].focus());
    await press('F2');
    fireEvent.change(screen.getByLabelText('New title of Outliers'), { target: { value: ' Weeks ' } });
    await press('Enter');

    act(() => rows()[0].focus());
    await press('Enter');

    expect(transport.stored[0].title).toBe('Weeks');
    expect(screen.getByTestId('jido-preview-view')).toBeTruthy();
  });

  it('renames in a preview, and goes back', async () => {
    const { transport } = await show();
    await click(screen.getByRole('button', { name: 'Preview Outliers' }));
    await press('F2');
    fireEvent.change(screen.getByLabelText('New title of Outliers'), { target: { value: 'Weeks' } });
    await press('Enter');
    await act(async () => void fireEvent.keyDown(screen.getByTestId('jido-preview-view'), { key: 'Escape' }));

    expect(transport.stored[0].title).toBe('Weeks');
    expect(rows()).toHaveLength(1);
  });
});

describe('groups', () => {
  const headings = () => screen.getAllByTestId(/^jido-group-/).map(heading => heading.getAttribute('aria-label'));

  it('are headed by their names and sizes, and fold away', async () => {
    const transport = new FakeServer([summary({ id: 'a', pinned: true }), summary({ id: 'b' }), summary({ id: 'c', archived: true })]);
    await show(transport);
    const names = headings();
    const shown = screen.getAllByTestId('jido-session-row').map(row => row.dataset.sessionId);

    await click(screen.getByTestId('jido-group-archived'));
    await click(screen.getByTestId('jido-group-pinned'));

    expect(names).toEqual(['Pinned, 1', 'Recent, 1', 'Archived, 1']);
    expect(shown).toEqual(['a', 'b']);
    expect(screen.getAllByTestId('jido-session-row').map(row => row.dataset.sessionId)).toEqual(['b', 'c']);
    expect(screen.getByTestId('jido-group-pinned').getAttribute('aria-expanded')).toBe('false');
  });

  it('name the notebook in front', async () => {
    await show(new FakeServer([summary({ notebook: '/srv/me/notes/report.ipynb' })]));

    expect(screen.getByTestId('jido-group-notebook').textContent).toContain('report.ipynb');
  });

  it('give way to filters while something is searched for', async () => {
    const transport = new FakeServer([summary({ id: 'a', title: 'Gradient' })]);
    await show(transport);
    const before = screen.queryByTestId('jido-filter-pinned');

    await search('grad');

    expect(before).toBeNull();
    expect(screen.getByTestId('jido-filter-pinned')).toBeTruthy();
    expect(screen.queryByTestId('jido-group-recent')).toBeNull();
  });

  it('let a trashed session be restored, and nothing else', async () => {
    const transport = new FakeServer([]);
    transport.trash = [summary()];
    await show(transport);
    await click(screen.getByTestId('jido-group-trashed'));

    const buttons = within(screen.getByTestId('jido-session-row')).getAllByRole<HTMLButtonElement>('button');
    const usable = buttons.filter(button => !button.disabled).map(button => button.getAttribute('aria-label'));
    await click(screen.getByTestId('jido-restore'));

    expect(usable).toEqual(['Restore Outliers']);
    expect(transport.stored).toHaveLength(1);
  });
});

describe('the menu of a session', () => {
  const open = () => click(screen.getByTestId('jido-more'));
  const item = (name: string) => screen.getByRole('menuitem', { name });

  it('holds what has no button, with the formats of the server', async () => {
    await show();

    await open();

    expect(screen.getAllByRole('menuitem').map(({ textContent }) => textContent)).toEqual([
      'Read',
      'Rename',
      'Tags…',
      'Pin to the top',
      'Archive',
      'Fork into a copy',
      'Export as JSON, to import again',
      'Export as Markdown, to read',
      'Move to trash'
    ]);
  });

  it('is walked through by arrow keys, and left by Escape', async () => {
    await show();
    await open();
    const menu = screen.getByRole('menu');
    const focused = () => document.activeElement?.textContent;
    const first = focused();

    fireEvent.keyDown(menu, { key: 'ArrowUp' });
    const last = focused();
    fireEvent.keyDown(menu, { key: 'ArrowDown' });
    const again = focused();
    fireEvent.keyDown(menu, { key: 'Escape' });

    expect([first, last, again]).toEqual(['Read', 'Move to trash', 'Read']);
    expect(screen.queryByRole('menu')).toBeNull();
    expect(document.activeElement).toBe(screen.getByTestId('jido-more'));
  });

  it('exports by the browser', async () => {
    const { page } = await show();
    await open();

    await click(item('Export as Markdown, to read'));

    expect(page.downloads).toEqual(['s1.markdown']);
  });

  it('asks for tags in the row', async () => {
    const { transport } = await show();
    await open();
    await click(item('Tags…'));

    fireEvent.change(screen.getByPlaceholderText('Tags, with commas between'), { target: { value: 'work, ml ,' } });
    await act(async () => void fireEvent.keyDown(document.activeElement!, { key: 'Enter' }));

    expect(transport.stored[0].tags).toEqual(['work', 'ml']);
  });

  it('closes when something else is pressed', async () => {
    await show();
    await open();

    fireEvent.pointerDown(document.body);

    expect(screen.queryByRole('menu')).toBeNull();
  });

  it('lets one choose the notebook to resume in', async () => {
    const { transport } = await show();
    await click(screen.getByTestId('jido-resume-where'));

    await click(item('In a new notebook'));

    expect(transport.done).toEqual(['resume s1 inNew']);
  });
});

describe('choosing several', () => {
  it('shows boxes on demand, and does the same with all that are ticked', async () => {
    const { transport } = await show(new FakeServer(['a', 'b', 'c'].map(id => summary({ id, title: id }))));
    const before = screen.queryAllByRole('checkbox').length;
    await click(screen.getByTestId('jido-select'));

    await click(screen.getByRole('checkbox', { name: 'Choose a' }));
    await click(screen.getByRole('button', { name: 'Preview c' }));
    const told = screen.getByTestId('jido-bulk').textContent;
    await click(screen.getByTestId('jido-bulk-delete'));
    const left = transport.stored.map(({ id }) => id);
    await click(screen.getByTestId('jido-bulk-done'));

    expect(before).toBe(0);
    expect(told).toContain('2 chosen');
    expect(left).toEqual(['b']);
    expect(screen.queryByRole('checkbox')).toBeNull();
  });

  it('offers nothing while nothing is chosen', async () => {
    await show();
    await click(screen.getByTestId('jido-select'));

    const buttons = ['archive', 'tag', 'export', 'delete'].map(name => screen.getByTestId<HTMLButtonElement>(`jido-bulk-${name}`));
    expect(buttons.every(({ disabled }) => disabled)).toBe(true);
  });
});

describe('files', () => {
  const files = [new File(['{}'], 'a.json')];

  it('are imported where they are dropped', async () => {
    const { container, transport } = await show(new FakeServer([]));
    const app = container.firstElementChild!;
    const dataTransfer = { types: ['Files'], files };
    fireEvent.dragEnter(app, { dataTransfer });
    const hint = screen.queryByText('Drop to import');

    await act(async () => void fireEvent.drop(app, { dataTransfer }));

    expect(hint).toBeTruthy();
    expect(screen.queryByText('Drop to import')).toBeNull();
    expect(transport.stored.map(({ id }) => id)).toEqual(['a.json']);
  });

  it('are imported by the button', async () => {
    const { transport } = await show(new FakeServer([]));

    await act(async () => void fireEvent.change(screen.getByTestId('jido-import-files'), { target: { files } }));

    expect(transport.stored.map(({ id }) => id)).toEqual(['a.json']);
  });

  it('leave a dragged text alone', async () => {
    const { container } = await show();

    fireEvent.dragEnter(container.firstElementChild!, { dataTransfer: { types: ['text/plain'], files: [] } });

    expect(screen.queryByText('Drop to import')).toBeNull();
  });
});

describe('what seals prove', () => {
  async function preview(seal: Seal) {
    const transport = new FakeServer();
    const { show: read } = transport;
    transport.show = async id => ({ ...(await read(id)), seal });
    await show(transport);
    await click(screen.getByRole('button', { name: 'Preview Outliers' }));
    return { transport, note: screen.getByTestId('jido-seal') };
  }

  it('is told in a word where all is as it was saved', async () => {
    const { note } = await preview('verified');

    expect(note.textContent).toBe('Verified');
    expect(screen.queryByTestId('jido-trust')).toBeNull();
  });

  it('is told with what to do where the key is not here', async () => {
    const { transport, note } = await preview('foreign');

    await click(screen.getByTestId('jido-trust'));

    expect(note.textContent).toContain('sealed with a key that is not here');
    expect(transport.done).toEqual(['resume s1 trust']);
  });

  it('asks for no trust where only records were left out', async () => {
    const { note } = await preview('repaired');

    expect(note.textContent).toContain('left out');
    expect(screen.queryByTestId('jido-trust')).toBeNull();
  });
});

describe('many tags', () => {
  it('stand behind a number', async () => {
    await show(new FakeServer([summary({ tags: ['a', 'b', 'c', 'd', 'e'] })]));

    const row = screen.getByTestId('jido-session-row');
    expect(row.textContent).toContain('#c+2');
    expect(screen.getByText('+2').title).toBe('#d #e');
  });
});
