import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ILatexTypesetter } from '@jupyterlab/rendermime';

import { jidoIcon } from './icon';
import { ISessionsModel, SessionsModel } from './model';
import { Notebooks } from './notebooks';
import { Notices } from './notices';
import { resumeInNotebook } from './resume';
import { RestTransport } from './rest';
import { answerPanels } from './services';
import { Sidebar } from './sidebar';

export namespace CommandIDs {
  export const openSidebar = 'jido:open-sidebar';
  export const refreshSessions = 'jido:refresh-sessions';
  export const resumeSession = 'jido:resume-session';
  export const deleteSession = 'jido:delete-session';
}

const PALETTE_CATEGORY = 'Jido';

// Nothing is required: each host has its own subset of services, and the list works without any.
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jido-jupyter:plugin',
  description: 'Assistant sessions beside the notebook: find, read, resume and delete them.',
  autoStart: true,
  optional: [ILayoutRestorer, ICommandPalette, INotebookTracker, ILatexTypesetter],
  activate: (
    app: JupyterFrontEnd,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    tracker: INotebookTracker | null,
    typesetter: ILatexTypesetter | null
  ): void => {
    const notices = new Notices();
    const transport = new RestTransport(app.serviceManager.serverSettings, async id => {
      await resumeInNotebook(tracker, id);
      return null;
    });
    const model = new SessionsModel(transport, notices, Date.now);
    const sidebar = new Sidebar(model, notices);
    if (app.name === 'Jupyter Notebook') {
      // Its View menu lists side panels by label and shows no icons.
      sidebar.title.label = 'Jido Sessions';
    }
    app.shell.add(sidebar, 'left', { rank: 600 });
    restorer?.add(sidebar, sidebar.id);
    const notebooks = tracker && new Notebooks(tracker, transport, app.serviceManager.contents);
    answerPanels(tracker, typesetter, (panel, session) => notebooks?.point(panel, session));
    addCommands(app, model, sidebar);
    palette?.addItem({ command: CommandIDs.openSidebar, category: PALETTE_CATEGORY });
    palette?.addItem({ command: CommandIDs.refreshSessions, category: PALETTE_CATEGORY });
  }
};

function addCommands(app: JupyterFrontEnd, model: ISessionsModel, sidebar: Sidebar): void {
  const { commands, shell } = app;
  const noArguments = { args: { type: 'object', properties: {} } };
  const sessionArgument = {
    args: {
      type: 'object',
      properties: { id: { type: 'string', description: 'The id of the session.' } },
      required: ['id']
    }
  };
  commands.addCommand(CommandIDs.openSidebar, {
    label: 'Show Jido Sessions',
    caption: 'Show the stored assistant sessions',
    icon: jidoIcon,
    describedBy: noArguments,
    execute: () => shell.activateById(sidebar.id)
  });
  commands.addCommand(CommandIDs.refreshSessions, {
    label: 'Refresh Jido Sessions',
    describedBy: noArguments,
    execute: () => model.refresh()
  });
  commands.addCommand(CommandIDs.resumeSession, {
    label: 'Resume Jido Session in the Current Notebook',
    describedBy: sessionArgument,
    execute: args => model.resume(String(args.id))
  });
  commands.addCommand(CommandIDs.deleteSession, {
    label: 'Move Jido Session to Trash',
    describedBy: sessionArgument,
    execute: args => model.remove(String(args.id))
  });
}

export default plugin;
