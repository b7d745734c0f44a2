import { Summary } from './types';

/** The sessions which match every word of `query`, pinned ones first, else in the given order. */
export function arranged(sessions: readonly Summary[], query: string): Summary[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = sessions.filter(session => {
    const text = [session.title, session.preview, ...session.tags].join('\n').toLowerCase();
    return words.every(word => text.includes(word));
  });
  return [...found.filter(s => s.pinned), ...found.filter(s => !s.pinned)];
}
