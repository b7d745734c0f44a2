// @vitest-environment jsdom

import { render, screen } from '@testing-library/react';
import React from 'react';
import { expect, it } from 'vitest';

import { message, NOW_MS } from '../../test/samples';
import { Message } from '../types';
import { MessageView } from './MessageView';

function show(part: Partial<Message>): HTMLElement {
  render(
    <ol>
      <MessageView message={message(part)} streaming={false} now_ms={NOW_MS} />
    </ol>
  );
  return screen.getByTestId('jido-message');
}

const BOLD = [{ type: 'text', content: '**bold**' }];

it('reads an answer as Markdown', () => {
  expect(show({ parts: BOLD }).querySelector('strong')?.textContent).toBe('bold');
});

it('shows a question as it was typed', () => {
  expect(show({ role: 'user', parts: BOLD }).textContent).toContain('**bold**');
});

it.each([
  ['interrupted', 'Interrupted'],
  ['failed', 'Failed'],
  ['truncated', 'Truncated']
] as const)('marks an answer which is %s, with the reason', (status, label) => {
  const shown = show({ status, error: 'The kernel ended.' });

  expect(shown.textContent).toContain(`${label}The kernel ended.`);
});

it('shows reasoning, tool calls and their results folded', () => {
  const shown = show({
    parts: [
      { type: 'reasoning', content: 'Compare weeks.' },
      { type: 'tool_call', id: 't', name: 'run_cell', arguments: { code: '1 + 1' } },
      { type: 'tool_call_response', id: 't', response: '2' }
    ]
  });

  const folds = [...shown.querySelectorAll('details')];
  expect(folds.map(fold => fold.open)).toEqual([false, false, false]);
  expect(folds.map(fold => fold.querySelector('summary')?.textContent)).toEqual([
    'Reasoning',
    'Tool call: run_cell',
    'Tool result'
  ]);
  expect(folds[1].querySelector('pre')?.textContent).toContain('"code": "1 + 1"');
});

it('names a part it does not know', () => {
  const shown = show({ parts: [{ type: 'hologram', content: '<b>x</b>' }] });

  expect(shown.textContent).toContain('Part of type “hologram” is stored but not shown.');
  expect(shown.querySelector('b')).toBeNull();
});
