/** What the palette, the menus and the keys can do with sessions: one table of commands. */

import { CommandRegistry } from '@lumino/commands';
import { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { IDialogs } from './dialogs';
import { jidoIcon } from './icon';
import { ISidebarModel } from './model';
import { Notices } from './notices';
import { problemOf } from './problem';
import { Reveal } from './reveal';
import { Subject, Subjects } from './subject';
import { ITrans } from './translation';
import { Summary } from './types';

export namespace CommandIDs {
  export const openSidebar = 'jido:open-sidebar';
  export const refreshSessions = 'jido:refresh-sessions';
  export const searchSessions = 'jido:search-sessions';
  export const newSession = 'jido:new-session';
  export const newNotebook = 'jido:new-notebook';
  export const resumeNotebook = 'jido:resume-notebook-session';
  export const resumeSession = 'jido:resume-session';
  export const resumeInNew = 'jido:resume-session-in-new-notebook';
  export const renameSession = 'jido:rename-session';
  export const pinSession = 'jido:pin-session';
  export const archiveSession = 'jido:archive-session';
  export const forkSession = 'jido:fork-session';
  export const exportSession = 'jido:export-session';
  export const deleteSession = 'jido:delete-session';
  export const restoreSession = 'jido:restore-session';
  export const importSessions = 'jido:import-sessions';
}

/** In the order in which the palette is given them. */
export const IN_PALETTE: readonly string[] = [
  CommandIDs.openSidebar,
  CommandIDs.searchSessions,
  CommandIDs.refreshSessions,
  CommandIDs.newSession,
  CommandIDs.newNotebook,
  CommandIDs.resumeNotebook,
  CommandIDs.resumeSession,
  CommandIDs.renameSession,
  CommandIDs.pinSession,
  CommandIDs.archiveSession,
  CommandIDs.forkSession,
  CommandIDs.exportSession,
  CommandIDs.deleteSession,
  CommandIDs.importSessions
];

/** What the commands act on. */
export type Desk = {
  model: ISidebarModel;
  notices: Notices;
  subjects: Subjects;
  reveal: Pick<Reveal, 'sidebar' | 'search'>;
  dialogs: IDialogs;
  /** A notebook is in front. */
  hasNotebook: () => boolean;
  newSession: () => Promise<void>;
  /** @returns what the host opened, if it says so. */
  newNotebook: (folder: string | null) => Promise<unknown>;
  trans: ITrans;
};

type Options = CommandRegistry.ICommandOptions;
type Args = ReadonlyPartialJSONObject;

const NOTHING = { args: { type: 'object', properties: {} } };

export function addCommands(commands: Pick<CommandRegistry, 'addCommand'>, desk: Desk): void {
  for (const [id, options] of Object.entries({ ...ofAll(desk), ...ofNotebook(desk), ...ofOne(desk) })) {
    commands.addCommand(id, options);
  }
}

/** Of the list as a whole. */
function ofAll({ model, reveal, dialogs, trans }: Desk): Record<string, Options> {
  return {
    [CommandIDs.openSidebar]: {
      label: trans.__('Show Jido Sessions'),
      caption: trans.__('Show the stored assistant sessions'),
      icon: jidoIcon,
      describedBy: NOTHING,
      execute: () => reveal.sidebar()
    },
    [CommandIDs.searchSessions]: {
      label: trans.__('Search Jido Sessions'),
      caption: trans.__('Find sessions by what was said in them'),
      describedBy: NOTHING,
      execute: () => reveal.search()
    },
    [CommandIDs.refreshSessions]: {
      label: trans.__('Refresh Jido Sessions'),
      caption: trans.__('Ask the server for the list of sessions now'),
      describedBy: NOTHING,
      execute: () => model.refresh()
    },
    [CommandIDs.importSessions]: {
      label: trans.__('Import Jido Sessions…'),
      caption: trans.__('Bring in the sessions of exported files'),
      describedBy: NOTHING,
      execute: async () => {
        const files = await dialogs.files();
        if (files !== null) {
          reveal.sidebar();
          await model.import(files);
        }
      }
    }
  };
}

/** Of the notebook in front, or of one that is made. */
function ofNotebook(desk: Desk): Record<string, Options> {
  const { model, subjects, dialogs, hasNotebook, trans } = desk;
  return {
    [CommandIDs.newSession]: {
      label: trans.__('New Jido Session in This Notebook'),
      caption: trans.__('Begin a session by a cell of the notebook; the one before stays stored'),
      describedBy: NOTHING,
      isEnabled: hasNotebook,
      execute: () => telling(desk, desk.newSession)
    },
    [CommandIDs.newNotebook]: {
      label: args => (args.isNew ? trans.__('Notebook with Jido') : trans.__('New Notebook with Jido')),
      caption: trans.__('A Python notebook with the assistant and its panel'),
      icon: jidoIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            cwd: { type: 'string', description: trans.__('The folder of the notebook.') },
            isNew: { type: 'boolean', description: trans.__('Whether the label stands among things that are new.') }
          }
        }
      },
      execute: args => telling(desk, () => desk.newNotebook(args.cwd === undefined ? null : String(args.cwd)))
    },
    [CommandIDs.resumeNotebook]: {
      label: trans.__("Resume This Notebook's Jido Session"),
      caption: trans.__('Open the session that this notebook points to, and go on'),
      describedBy: NOTHING,
      isEnabled: () => isClosed(subjects.ofNotebook()),
      execute: () => telling(desk, async () => model.resume(subjects.ofNotebook()!.id))
    },
    [CommandIDs.resumeSession]: {
      label: args => (args.row ? trans.__('Resume in This Notebook') : trans.__('Resume Jido Session…')),
      caption: trans.__('Open a session in the notebook in front, and go on'),
      describedBy: describedAs(trans),
      isEnabled: args => hasNotebook() && (!args.row || isUsable(subjects.of(args))),
      isVisible: args => !args.row || !subjects.of(args)?.isTrashed,
      execute: async args => {
        const named = args.id !== undefined || args.row ? subjects.of(args)?.id : await dialogs.session(await newest(model));
        if (named != null) {
          await telling(desk, () => model.resume(named));
        }
      }
    },
    [CommandIDs.resumeInNew]: {
      label: trans.__('Resume in a New Notebook'),
      caption: trans.__('Make a notebook, open the session in it, and go on'),
      describedBy: describedAs(trans),
      isEnabled: args => isUsable(subjects.of(args)),
      isVisible: args => !subjects.of(args)?.isTrashed,
      execute: args => on(desk, args, ({ id }) => model.resume(id, { inNew: true }))
    }
  };
}

/** Of one session: the one named, that of a row, or the notebook's. */
function ofOne(desk: Desk): Record<string, Options> {
  const { model, subjects, dialogs, trans } = desk;
  const one = (
    label: (args: Args) => string,
    caption: string,
    act: (subject: Subject) => Promise<unknown>,
    isPossible: (subject: Subject) => boolean = () => true
  ): Options => ({
    label,
    caption,
    describedBy: describedAs(trans),
    isEnabled: args => {
      const subject = subjects.of(args);
      return subject !== null && !subject.isTrashed && isPossible(subject);
    },
    isVisible: args => !subjects.of(args)?.isTrashed,
    execute: args => on(desk, args, act)
  });
  const isIt = (key: 'pinned' | 'archived', args: Args): boolean => subjects.of(args)?.session?.[key] ?? false;
  return {
    [CommandIDs.renameSession]: one(
      args => (isRow(args) ? trans.__('Rename…') : trans.__("Rename This Notebook's Jido Session…")),
      trans.__('Give the session another title'),
      async ({ id, session }) => {
        const title = await dialogs.title(session?.title ?? '');
        return title !== null && model.edit(id, { title });
      },
      isReadable
    ),
    [CommandIDs.pinSession]: one(
      args => {
        const isPinned = isIt('pinned', args);
        return isRow(args)
          ? isPinned
            ? trans.__('Unpin')
            : trans.__('Pin')
          : isPinned
            ? trans.__("Unpin This Notebook's Jido Session")
            : trans.__("Pin This Notebook's Jido Session");
      },
      trans.__('Keep the session at the top, and from every cleanup; or no longer'),
      ({ id, session }) => model.edit(id, { pinned: !session?.pinned }),
      isReadable
    ),
    [CommandIDs.archiveSession]: one(
      args => {
        const isArchived = isIt('archived', args);
        return isRow(args)
          ? isArchived
            ? trans.__('Take out of the Archive')
            : trans.__('Archive')
          : isArchived
            ? trans.__("Take This Notebook's Jido Session out of the Archive")
            : trans.__("Archive This Notebook's Jido Session");
      },
      trans.__('Mark the session as done with; or no longer'),
      ({ id, session }) => model.edit(id, { archived: !session?.archived }),
      isReadable
    ),
    [CommandIDs.forkSession]: one(
      args => (isRow(args) ? trans.__('Fork') : trans.__("Fork This Notebook's Jido Session")),
      trans.__('Go on in a copy; the session stays as it is'),
      ({ id }) => model.fork(id),
      isReadable
    ),
    [CommandIDs.exportSession]: one(
      args => (isRow(args) ? trans.__('Export…') : trans.__("Export This Notebook's Jido Session…")),
      trans.__('Download the session as a file'),
      async ({ id }) => {
        const format = await dialogs.format(await model.formats());
        return format !== null && model.export(id, format);
      }
    ),
    [CommandIDs.deleteSession]: one(
      args => (isRow(args) ? trans.__('Move to Trash') : trans.__("Move This Notebook's Jido Session to Trash")),
      trans.__('Nothing is deleted: the session can be restored'),
      ({ id }) => model.remove(id)
    ),
    [CommandIDs.restoreSession]: {
      label: trans.__('Restore'),
      caption: trans.__('Take the session out of the trash'),
      describedBy: describedAs(trans),
      isEnabled: args => subjects.of(args)?.isTrashed ?? false,
      isVisible: args => subjects.of(args)?.isTrashed ?? false,
      execute: args => on(desk, args, ({ id }) => model.restore(id))
    }
  };
}

function describedAs(trans: ITrans) {
  const id = { type: 'string', description: trans.__('The id of the session; else that of the notebook in front.') };
  const row = { type: 'boolean', description: trans.__('Whether it is the session of the row that was clicked.') };
  return { args: { type: 'object', properties: { id, row } } };
}

function isRow(args: Args): boolean {
  return args.row === true || args.id !== undefined;
}

function isReadable({ session }: Subject): boolean {
  return session?.state !== 'damaged';
}

function isUsable(subject: Subject | null): boolean {
  return subject !== null && !subject.isTrashed && isReadable(subject);
}

function isClosed(session: Summary | null): boolean {
  return session?.state === 'closed';
}

async function newest(model: ISidebarModel): Promise<Summary[]> {
  if (model.state.value.hits === null) {
    await model.refresh();
  }
  return (model.state.value.hits ?? []).map(({ session }) => session);
}

async function on(desk: Desk, args: Args, act: (subject: Subject) => Promise<unknown>): Promise<void> {
  const subject = desk.subjects.of(args);
  if (subject !== null) {
    await telling(desk, () => act(subject));
  }
}

/** What came of it is told in the sidebar, so that is shown when there is something new to read. */
async function telling<T>({ notices, reveal, trans }: Desk, act: () => Promise<T>): Promise<T | undefined> {
  const before = new Set(notices.state.value);
  try {
    return await act();
  } catch (reason) {
    notices.problem('command', problemOf(reason, trans));
    return undefined;
  } finally {
    if (notices.state.value.some(notice => !before.has(notice))) {
      reveal.sidebar();
    }
  }
}
