import { expect, it } from 'vitest';

import { NOW_MS } from '../test/samples';
import { ownerPlace, ownerSentence, relativeTime, secondsLeft, shortRevision } from './phrases';
import { PLAIN } from './translation';

it.each([
  ['2026-11-22T12:00:05.000Z', 'just now'],
  ['2026-11-22T11:59:01.000Z', 'just now'],
  ['2026-11-22T11:59:00.000Z', '1 min ago'],
  ['2026-11-22T11:00:01.000Z', '59 min ago'],
  ['2026-11-22T11:00:00.000Z', '1 h ago'],
  ['2026-11-21T12:00:00.000Z', '1 day ago'],
  ['2026-11-16T12:00:00.000Z', '6 days ago'],
  ['2026-03-12T12:00:00.000Z', 'Mar 12'],
  ['2024-03-12T12:00:00.000Z', 'Mar 12, 2024'],
  ['not a time', '']
])('%s reads %j', (time, expected) => {
  expect(relativeTime(time, NOW_MS, PLAIN)).toBe(expected);
});

it('names the notebook which has a session open, else the kind of process', () => {
  expect(ownerPlace({ kind: 'notebook', notebook: 'a/b.ipynb', host: 'h', pid: 1 }, PLAIN)).toBe('Open in b.ipynb');
  expect(ownerPlace({ kind: 'terminal', notebook: null, host: 'h', pid: 1 }, PLAIN)).toBe('Open in terminal');
});

it('says what is needed to find the process of an owner', () => {
  const sentence = ownerSentence({ kind: 'notebook', notebook: 'a/b.ipynb', host: 'lab-3', pid: 41 }, PLAIN);

  expect(sentence).toBe('Held by a/b.ipynb on lab-3, process 41.');
});

it('counts a begun second as a whole one', () => {
  expect(secondsLeft(NOW_MS + 1, NOW_MS)).toBe(1);
  expect(secondsLeft(NOW_MS, NOW_MS)).toBe(0);
  expect(secondsLeft(NOW_MS - 5000, NOW_MS)).toBe(0);
});

it('cuts a long revision only', () => {
  expect(shortRevision('42-9f3a')).toBe('42-9f3a');
  expect(shortRevision('42-9f3ac81be07d55aa')).toBe('42-9f3ac81be…');
});
