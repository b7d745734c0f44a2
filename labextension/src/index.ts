import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ILatexTypesetter } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { beginNotebook, runAllBegun } from './begin';
import { addCommands, CommandIDs, IN_PALETTE } from './commands';
import { Dialogs } from './dialogs';
import { pageAround } from './front';
import { jidoImage } from './icon';
import { Notebooks } from './notebooks';
import { Notices } from './notices';
import { PageTransport } from './pagetransport';
import { NEW_SOURCE, PANEL_SOURCE, resumeSource, runInNotebook } from './resume';
import { Reveal } from './reveal';
import { answerPanels } from './services';
import { userSettings } from './settings';
import { Sidebar } from './sidebar';
import { SidebarModel } from './sidebarmodel';
import { knownIn, Subjects } from './subject';
import { SessionButton, TOOLBAR_ITEM } from './toolbar';
import { DOMAIN } from './translation';

const PLUGIN_ID = 'jido-jupyter:plugin';

// Nothing is required: each host has its own subset of services, and the list works without any.
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Assistant sessions beside the notebook: find, read, resume and delete them.',
  autoStart: true,
  optional: [
    INotebookTracker,
    ILayoutRestorer,
    ICommandPalette,
    ILauncher,
    IToolbarWidgetRegistry,
    ISettingRegistry,
    ITranslator,
    ILatexTypesetter
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    toolbars: IToolbarWidgetRegistry | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    typesetter: ILatexTypesetter | null
  ): void => {
    const { commands, serviceManager, shell } = app;
    const { contents, kernelspecs, serverSettings } = serviceManager;
    const words = translator ?? nullTranslator;
    const trans = words.load(DOMAIN);
    const settings = userSettings(registry, PLUGIN_ID);
    const page = pageAround(tracker);

    const run = (source: string) => runInNotebook(tracker?.currentWidget ?? null, source, trans);
    const begin = async (folder: string | null, source: string): Promise<unknown> => {
      await kernelspecs.ready;
      const beside = folder ?? PathExt.dirname(page.notebook.value ?? '');
      const path = await beginNotebook(contents, kernelspecs.specs, beside, source, trans);
      return commands.execute('docmanager:open', { path });
    };

    const notices = new Notices(trans);
    const transport: PageTransport = new PageTransport(
      id => notebooks?.kernelOf(id) ?? null,
      serverSettings,
      async (id, how) => {
        const source = resumeSource(id, trans, how);
        await (how.inNew ? begin(null, source) : run(source));
      },
      () => page.notebook.value,
      trans
    );
    const model = new SidebarModel(transport, notices, Date.now, page, trans);

    const sidebar = new Sidebar(model, notices, trans);
    if (app.name === 'Jupyter Notebook') {
      // Its View menu lists side panels by label and shows no icons.
      sidebar.title.label = trans.__('Jido Sessions');
    }
    shell.add(sidebar, 'left', { rank: 600 });
    restorer?.add(sidebar, sidebar.id);
    const reveal = new Reveal(shell, sidebar, model);

    const notebooks: Notebooks | null = tracker && new Notebooks(tracker, transport, contents, settings, trans);
    notebooks?.follow(model);
    if (tracker !== null) {
      runAllBegun(tracker);
    }
    answerPanels(tracker, typesetter, (panel, session) => void notebooks?.point(panel, session));

    const clicked = () => app.contextMenuHitTest(node => node.dataset.sessionId !== undefined);
    addCommands(commands, {
      model,
      notices,
      subjects: new Subjects(knownIn(model), notebooks, () => clicked()?.dataset.sessionId ?? null),
      reveal,
      dialogs: new Dialogs(trans),
      hasNotebook: () => page.notebook.value !== null,
      newSession: () => run(NEW_SOURCE),
      newNotebook: folder => begin(folder, PANEL_SOURCE),
      trans
    });
    for (const command of IN_PALETTE) {
      palette?.addItem({ command, category: trans.__('Jido') });
    }
    launcher?.add({
      command: CommandIDs.newNotebook,
      args: { isNew: true },
      category: words.load('jupyterlab').__('Notebook'),
      kernelIconUrl: jidoImage,
      rank: 100
    });
    if (notebooks !== null) {
      toolbars?.addFactory<NotebookPanel>(
        'Notebook',
        TOOLBAR_ITEM,
        panel =>
          new SessionButton(notebooks.sessionOf(panel), settings.state, trans, id =>
            id === null ? reveal.sidebar() : void reveal.session(id)
          )
      );
    }
  }
};

export default plugin;
