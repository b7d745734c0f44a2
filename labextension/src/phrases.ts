/** How times, owners and revisions read; pure functions of their arguments. */

import { printable } from './printable';
import { ITrans } from './translation';
import { Hit, Owner, Seal, Summary } from './types';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * A time as seen from `now_ms`: "just now", "5 min ago", "3 h ago", "2 days ago", then the date.
 * A time ahead of the clock (another machine's) reads "just now".
 */
export function relativeTime(time: string, now_ms: number, trans: ITrans): string {
  const then_ms = Date.parse(time);
  if (Number.isNaN(then_ms)) {
    return '';
  }
  const age_ms = now_ms - then_ms;
  if (age_ms < MINUTE_MS) {
    return trans.__('just now');
  }
  if (age_ms < HOUR_MS) {
    return trans.__('%1 min ago', Math.floor(age_ms / MINUTE_MS));
  }
  if (age_ms < DAY_MS) {
    return trans.__('%1 h ago', Math.floor(age_ms / HOUR_MS));
  }
  const days = Math.floor(age_ms / DAY_MS);
  if (days < 7) {
    return trans._n('%1 day ago', '%1 days ago', days);
  }
  const date = new Date(then_ms);
  const sameYear = date.getFullYear() === new Date(now_ms).getFullYear();
  return date.toLocaleDateString('en', {
    month: 'short',
    day: 'numeric',
    ...(!sameYear && { year: 'numeric' })
  });
}

/** The time in full, for tooltips. */
export function fullTime(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toLocaleString();
}

/** A count as it is read: 1,234. */
export function digits(count: number): string {
  return count.toLocaleString('en');
}

export function countedMessages(count: number, trans: ITrans): string {
  return trans._n('%2 message', '%2 messages', count, digits(count));
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.split('/').pop() || path;
}

/** Where a session is open, in short. */
export function ownerPlace(owner: Owner | null, trans: ITrans): string {
  if (owner === null) {
    return trans.__('Open');
  }
  return trans.__('Open in %1', owner.notebook ? fileName(owner.notebook) : owner.kind);
}

/** Who holds a session, with what is needed to find the process. */
export function ownerSentence(owner: Owner | null, trans: ITrans): string {
  if (owner === null) {
    return trans.__('Another process holds this session.');
  }
  return trans.__('Held by %1 on %2, process %3.', owner.notebook ?? owner.kind, owner.host, owner.pid);
}

/** A revision short enough for a header; the whole one belongs into the tooltip. */
export function shortRevision(revision: string): string {
  return revision.length <= 14 ? revision : `${revision.slice(0, 12)}…`;
}

/** Whole seconds until `until_ms`; 0 when it has come. */
export function secondsLeft(until_ms: number, now_ms: number): number {
  return Math.max(0, Math.ceil((until_ms - now_ms) / 1000));
}

/** What seals prove, and what to do where they do not; docs/format.md has it whole. */
export function sealWords(seal: Seal, trans: ITrans): { name: string; sentence: string } {
  switch (seal) {
    case 'verified':
      return {
        name: trans.__('Verified'),
        sentence: trans.__(
          'Each record is as it was saved here.'
        )
      };
    case 'repaired':
      return {
        name: trans.__('Altered'),
        sentence: trans.__(
          'Records that were changed after they were saved are left out; the others are as they were saved.'
        )
      };
    case 'altered':
      return {
        name: trans.__('Altered'),
        sentence: trans.__(
          'It was changed after it was saved, or records are missing. Read it; “Trust and resume” seals it anew if it is right.'
        )
      };
    case 'foreign':
      return {
        name: trans.__('Not verified'),
        sentence: trans.__(
          'It was sealed with a key that is not here, so nobody can tell if it was changed. Put the key back, or read it and “Trust and resume”.'
        )
      };
  }
}

/** A session whose texts are all printable. */
export function legible<T extends Summary>(session: T): T {
  const { title, tags, preview, problems, notebook, model } = session;
  return {
    ...session,
    title: printable(title),
    tags: tags.map(printable),
    preview: printable(preview),
    problems: problems.map(printable),
    notebook: notebook && printable(notebook),
    model: model && printable(model)
  };
}

export function legibleHit({ session, snippet }: Hit): Hit {
  return { session: legible(session), snippet: printable(snippet) };
}
