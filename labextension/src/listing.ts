import { Hit } from './types';

/** What a list is narrowed down to. */
export type Filter = 'all' | 'notebook' | 'open' | 'pinned' | 'archived' | 'trashed';

export type Find = { text: string; filter: Filter };

/** The query that a store understands (jido_jupyter.core.query); the last word counts from its first letter on. */
export function queryOf({ text, filter }: Find, notebook: string | null): string {
  const words = /[\w)]$/u.test(text) && !/:\S*$/.test(text) && !hasOpenQuote(text) ? `${text}*` : text;
  const narrowed = filter === 'notebook' ? `notebook:"${notebook ?? ''}"` : filter === 'all' ? '' : `is:${filter}`;
  return `${words.trim()} ${narrowed}`.trim();
}

function hasOpenQuote(text: string): boolean {
  return text.split('"').length % 2 === 0;
}

/** A list after its first page was loaded anew: what stood below stays, once. */
export function refreshed(shown: readonly Hit[], first: readonly Hit[], isWhole: boolean): Hit[] {
  const ids = new Set(first.map(hit => hit.session.id));
  return [...first, ...(isWhole ? [] : shown.slice(first.length).filter(hit => !ids.has(hit.session.id)))];
}

const LEAD = 30; // characters before what was found; a narrow list shows some 60

/** What stands around the first word that was found, near its beginning. */
export function cropped(text: string, query: string): string {
  const [first, second] = marked(text, query);
  if (!second || first.isHit || first.text.length <= LEAD) {
    return text;
  }
  const cut = first.text.length - LEAD;
  return `…${text.slice(cut + Math.max(0, text.slice(cut, cut + LEAD).indexOf(' ') + 1))}`;
}

/** A text in pieces, those that a search meant marked; words as a reader would look for them. */
export function marked(text: string, query: string): { text: string; isHit: boolean }[] {
  const words = query
    .replace(/\b[a-z]+:\S*/g, ' ')
    .split(/[^\p{L}\p{N}_]+/u)
    .filter(Boolean);
  if (words.length === 0) {
    return [{ text, isHit: false }];
  }
  const pieces = text.split(new RegExp(`(?<![\\p{L}\\p{N}_])(${words.join('|')})`, 'giu'));
  return pieces.map((piece, place) => ({ text: piece, isHit: place % 2 === 1 })).filter(piece => piece.text !== '');
}
