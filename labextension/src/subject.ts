/** Which session a command is about. */

import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { ISidebarModel } from './model';
import { Notebooks } from './notebooks';
import { Hit, Summary } from './types';

export type Subject = {
  id: string;
  /** Null where only the id is known. */
  session: Summary | null;
  isTrashed: boolean;
};

/** What is known of a session. */
export type Known = (id: string) => Omit<Subject, 'id'>;

/** What the lists of the sidebar tell of a session. */
export function knownIn(model: Pick<ISidebarModel, 'state' | 'groups'>): Known {
  return id => {
    const { hits, find } = model.state.value;
    const inTrash = model.groups.value.find(({ name }) => name === 'trashed')?.hits ?? [];
    const isIt = ({ session }: Hit): boolean => session.id === id;
    const trashed = inTrash.find(isIt);
    const listed = [...(hits ?? []), ...model.groups.value.flatMap(group => group.hits)].find(isIt);
    const isTrashed = trashed !== undefined || (find.filter === 'trashed' && (hits ?? []).some(isIt));
    return { session: listed?.session ?? null, isTrashed };
  };
}

export class Subjects {
  /**
   * @param row the id of the session whose row was clicked for a menu; null where it was something else.
   */
  constructor(
    private readonly _known: Known,
    private readonly _notebooks: Pick<Notebooks, 'front' | 'sessionOf'> | null,
    private readonly _row: () => string | null
  ) {}

  /** The session that the arguments name (`id`), or that of the clicked row (`row`), or else the front notebook's. */
  of(args: ReadonlyPartialJSONObject): Subject | null {
    const id = args.id !== undefined ? String(args.id) : args.row ? this._row() : null;
    if (id !== null) {
      return { id, ...this._known(id) };
    }
    const mine = args.row ? null : this.ofNotebook();
    return mine && { id: mine.id, session: mine, isTrashed: false };
  }

  /** The session that the notebook in front has open or points to. */
  ofNotebook(): Summary | null {
    const front = this._notebooks?.front;
    return (front && this._notebooks?.sessionOf(front).value?.session) ?? null;
  }
}
