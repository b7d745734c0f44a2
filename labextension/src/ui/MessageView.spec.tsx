// @vitest-environment jsdom

import { act, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';
import { expect, it, vi } from 'vitest';

import { message, NOW_MS } from '../../test/samples';
import { Message } from '../types';
import { Entries } from '../turns';
import { MessageActions, MessageView } from './MessageView';

function show(part: Partial<Message>, more: { after?: Message[]; actions?: MessageActions; calling?: string } = {}) {
  const [entry] = new Entries().of([message(part), ...(more.after ?? [])]);
  render(
    <MessageView
      entry={entry!}
      total={1 + (more.after?.length ?? 0)}
      streaming={false}
      calling={more.calling ?? null}
      isLast={more.after === undefined}
      actions={more.actions ?? {}}
      now_ms={NOW_MS}
    />
  );
  return screen.getByTestId('jido-message');
}

const BOLD = [{ type: 'text', content: '**bold**' }];

it('reads an answer as Markdown', () => {
  expect(show({ parts: BOLD }).querySelector('strong')?.textContent).toBe('bold');
});

const ODD = 'safe\u202e';

it('shows what would disguise a question', () => {
  expect(show({ role: 'user', parts: [{ type: 'text', content: ODD }] }).textContent).toContain('safe\ufffd');
});

it('shows what would disguise an answer, its code or what came of it', () => {
  const parts = [
    { type: 'text', content: `${ODD} &#8238; [a](https://b.c "&#8238;")` },
    { type: 'reasoning', content: ODD },
    { type: 'tool_call', id: 't', name: ODD, arguments: { code: ODD } },
    { type: ODD }
  ];
  const about: Partial<Message> = { model: ODD, status: 'failed', error: ODD };

  const shown = show({ ...about, parts, origin: { notebook: ODD, execution_count: 1 } }, { after: [result({ response: ODD })] });

  expect(shown.outerHTML).toContain('safe\ufffd');
  expect(shown.outerHTML).not.toContain('\u202e');
});

it('shows a question as it was typed', () => {
  expect(show({ role: 'user', parts: BOLD }).textContent).toContain('**bold**');
});

it.each([
  ['interrupted', 'Interrupted'],
  ['failed', 'Failed'],
  ['truncated', 'Cut off']
] as const)('marks an answer which is %s, with the reason', (status, label) => {
  const shown = show({ status, error: 'The kernel ended.' });

  expect(shown.textContent).toContain(`${label}The kernel ended.`);
});

const CALL = { type: 'tool_call', id: 't', name: 'run_code', arguments: { code: '1 + 1' } };
const result = (more: object = {}) =>
  message({ id: 'r', role: 'tool', parts: [{ type: 'tool_call_response', id: 't', response: '2', ...more }] });

it('shows reasoning folded', () => {
  const fold = show({ parts: [{ type: 'reasoning', content: 'Compare weeks.' }] }).querySelector('details')!;

  expect(fold.open).toBe(false);
  expect(fold.textContent).toBe('ReasoningCompare weeks.');
});

it.each([
  [{}, 'done'],
  [{ outcome: 'denied' }, 'denied'],
  [{ outcome: 'failed' }, 'failed']
])('shows a tool call folded, with its result: %j', (more, outcome) => {
  show({ parts: [CALL] }, { after: [result(more)] });

  const call = screen.getByTestId<HTMLDetailsElement>('jido-call');
  expect([call.open, call.dataset.outcome]).toEqual([false, outcome]);
  expect([...call.querySelectorAll('pre')].map(pre => pre.textContent)).toEqual(['1 + 1', '2']);
});

it('says of a call without a result whether it runs', () => {
  show({ parts: [CALL] }, { calling: 't' });

  expect(screen.getByTestId('jido-call').dataset.outcome).toBe('running');
});

it('says what a call is for before it is opened', () => {
  show({ parts: [{ ...CALL, arguments: { code: '1 + 1', purpose: 'Count rows' } }] });

  expect(screen.getByTestId('jido-call').querySelector('summary')?.textContent).toBe('Tool run_code Count rowswaiting');
});

it('shows results with their calls, and not again', () => {
  const [, entry] = new Entries().of([message({ parts: [CALL] }), result()]);

  const { container } = render(
    <MessageView entry={entry!} total={2} streaming={false} calling={null} isLast actions={{}} now_ms={NOW_MS} />
  );

  expect(container.innerHTML).toBe('');
});

it('offers ways on from a last answer that is not complete', () => {
  const onRetry = vi.fn();
  const onGoOn = vi.fn();
  show({ status: 'truncated' }, { actions: { onRetry, onGoOn } });

  fireEvent.click(screen.getByTestId('jido-retry'));
  fireEvent.click(screen.getByTestId('jido-go-on'));

  expect([onRetry.mock.calls.length, onGoOn.mock.calls.length]).toEqual([1, 1]);
});

it('forks and goes back at the end of a turn only', () => {
  const question = message({ id: 'q', role: 'user' });
  const actions = { onFork: vi.fn(), onRewind: vi.fn() };
  show({ id: 'end' }, { after: [question], actions });

  fireEvent.click(screen.getByTestId('jido-fork'));
  fireEvent.click(screen.getByTestId('jido-rewind'));

  expect(actions.onFork.mock.calls).toEqual([['end']]);
  expect(actions.onRewind.mock.calls).toEqual([['end']]);
  const [entry] = new Entries().of([question, message()]);
  expect(entry?.endsTurn).toBe(false);
});

it('puts code into a new cell where the page can, and on the clipboard elsewhere', async () => {
  const copied: string[] = [];
  Object.assign(navigator, { clipboard: { writeText: async (text: string) => void copied.push(text) } });
  const inserted: string[] = [];
  const take = (event: Event) => {
    inserted.push((event as CustomEvent<{ code: string }>).detail.code);
    event.preventDefault();
  };
  show({ parts: [{ type: 'text', content: '```python\nx = 1\n```' }] });
  const button = screen.getByText('Insert as cell');
  document.addEventListener('jido:insert-cell', take);
  await act(async () => void fireEvent.click(button));
  document.removeEventListener('jido:insert-cell', take);

  await act(async () => void fireEvent.click(button));

  expect([inserted, copied]).toEqual([['x = 1'], ['x = 1']]);
  expect(button.textContent).toBe('Copied: paste it into a cell');
});

it('names a part it does not know', () => {
  const shown = show({ parts: [{ type: 'hologram', content: '<b>x</b>' }] });

  expect(shown.textContent).toContain('Part of type “hologram” is stored but not shown.');
  expect(shown.querySelector('b')).toBeNull();
});
