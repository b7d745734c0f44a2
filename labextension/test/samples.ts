/** Values of the wire, complete and unremarkable; tests name only what matters to them. */

import { Head, Message, Problem, Summary } from '../src/types';

export const NOW_MS = Date.parse('2026-11-22T12:00:00.000Z');

export function summary(part: Partial<Summary> = {}): Summary {
  return {
    id: 's1',
    title: 'Outliers',
    created_at: '2026-11-22T11:00:00.000Z',
    updated_at: '2026-11-22T11:55:00.000Z',
    message_count: 2,
    state: 'closed',
    owner: null,
    tags: [],
    pinned: false,
    archived: false,
    notebook: 'notes/report.ipynb',
    model: 'test-model',
    preview: 'Week 32 stands out.',
    problems: [],
    revision: '3-abc',
    ...part
  };
}

export function message(part: Partial<Message> = {}): Message {
  return {
    id: 'm1',
    role: 'assistant',
    parts: [{ type: 'text', content: 'Week 32 stands out.' }],
    created_at: '2026-11-22T11:55:00.000Z',
    ...part
  };
}

export function head(part: Partial<Head> = {}): Head {
  return { ...summary(), todos: [], is_here: true, is_busy: false, is_saved: true, ...part };
}

export function problem(part: Partial<Problem> = {}): Problem {
  return {
    type: 'about:blank',
    title: 'Not possible',
    status: 409,
    detail: 'This cannot be done now.',
    code: 'conflict',
    ...part
  };
}

export const RATE_LIMITED = problem({
  title: 'Too many resumes',
  status: 429,
  detail: 'Try again in 3 s.',
  code: 'rate_limited',
  retry_after_s: 3
});
