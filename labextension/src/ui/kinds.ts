import { GroupName } from '../groups';
import { Filter } from '../listing';
import { ITrans } from '../translation';

/** What a group is headed by, and what the filter for the same sessions is called. */
export function kindName(kind: GroupName | Filter, trans: ITrans): string {
  const names: Record<GroupName | Filter, string> = {
    all: trans.__('All'),
    notebook: trans.__('This notebook'),
    open: trans.__('Open'),
    pinned: trans.__('Pinned'),
    recent: trans.__('Recent'),
    archived: trans.__('Archived'),
    trashed: trans.__('Trash')
  };
  return names[kind];
}
