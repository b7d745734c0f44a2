/** Notebooks and their sessions: keeps each one's pointer, knows its session, and offers that when the notebook is opened. */

import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { Contents, Kernel } from '@jupyterlab/services';

import { ISidebarModel } from './model';
import { IObservable, Observable } from './observable';
import { OfferLine, offerFor } from './offer';
import { legible } from './phrases';
import { isOpenIn, openIn, pointerOf, setPointer } from './pointer';
import { ProblemError } from './problem';
import { resumeSource, runInNotebook } from './resume';
import { IUserSettings } from './settings';
import { Known, knownIn } from './subject';
import { ITrans } from './translation';
import { Summary } from './types';

const SETTLE_MS = 700; // after a cell has run, until its kernel's sessions are looked at

export interface ISessionLookup {
  opened(): Promise<Summary[]>;
  summary(id: string): Promise<Summary>;
}

/** The session that a notebook has open, or else the one that it points to. */
export type NotebookSession = { session: Summary; isHere: boolean };

/** What is kept of an open notebook. */
type Kept = {
  /** Those that it had since the page was opened. */
  paths: Set<string>;
  session: Observable<NotebookSession | null>;
  offer?: OfferLine;
  timer?: ReturnType<typeof setTimeout>;
};

export class Notebooks {
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _lookup: ISessionLookup,
    private readonly _contents: Contents.IManager,
    private readonly _settings: IUserSettings,
    private readonly _trans: ITrans
  ) {
    _tracker.widgetAdded.connect((_, panel) => void this._opened(panel));
    _tracker.forEach(panel => void this._opened(panel));
    // What happened elsewhere while nobody saw it: another tab, another program.
    _tracker.currentChanged.connect((_, panel) => panel?.context.isReady && void this._lookAgain([panel]));
    document.addEventListener('visibilitychange', () => document.hidden || void this._lookAgain());
    NotebookActions.executed.connect((_, { notebook }) => {
      const panel = _tracker.find(other => other.content === notebook);
      if (panel) {
        this._lookSoon(panel);
      }
    });
  }

  /** The notebook that was used last. */
  get front(): NotebookPanel | null {
    return this._tracker.currentWidget;
  }

  /** Null where it has none, or none that is stored. */
  sessionOf(panel: NotebookPanel): IObservable<NotebookSession | null> {
    return this._keep(panel).session;
  }

  /** The panel in a notebook says which session it shows, and again when that is renamed. */
  async point(panel: NotebookPanel, session: string): Promise<void> {
    this._point(panel, session);
    await this._lookAgain([panel]);
  }

  /** The kernel in which a notebook of this page has a session open. */
  kernelOf(session: string): Kernel.IKernelConnection | null {
    const panel = this._all().find(one => {
      const kept = this.sessionOf(one).value;
      return kept !== null && kept.isHere && kept.session.id === session;
    });
    return panel?.sessionContext.session?.kernel ?? null;
  }

  /** Learn of renames and the like from the lists of the sidebar, where those are kept up to date. */
  follow(lists: Pick<ISidebarModel, 'state' | 'groups'>): void {
    const known = knownIn(lists);
    const look = (): void => this._all().forEach(panel => this._learn(panel, known));
    lists.state.subscribe(look);
    lists.groups.subscribe(look);
  }

  private _learn(panel: NotebookPanel, known: Known): void {
    const shown = this.sessionOf(panel).value?.session;
    const id = shown?.id ?? pointerOf(panel);
    if (id === null) {
      return;
    }
    const { session, isTrashed } = known(id);
    if (isTrashed) {
      this._show(panel, null);
    } else if (session && (session.revision !== shown?.revision || session.state !== shown.state)) {
      this._show(panel, session);
    }
  }

  private async _lookAgain(panels: readonly NotebookPanel[] = this._all()): Promise<void> {
    await Promise.all(panels.map(panel => this._quietly(() => this._learnPointer(panel))));
  }

  private _all(): NotebookPanel[] {
    const panels: NotebookPanel[] = [];
    this._tracker.forEach(panel => panels.push(panel));
    return panels;
  }

  private async _opened(panel: NotebookPanel): Promise<void> {
    const { paths } = this._keep(panel);
    panel.context.pathChanged.connect((_, path) => paths.add(path));
    await panel.context.ready;
    if (panel.isDisposed) {
      return;
    }
    panel.content.model?.metadataChanged.connect(() => {
      if (pointerOf(panel) !== this.sessionOf(panel).value?.session.id) {
        void this._quietly(() => this._learnPointer(panel));
      }
    });
    await this._quietly(async () => {
      await this._learnPointer(panel);
      await this._offer(panel);
    });
  }

  private async _offer(panel: NotebookPanel): Promise<void> {
    await this._settings.ready;
    const session = this.sessionOf(panel).value?.session;
    if (session === undefined || !this._settings.state.value.offersSession) {
      return;
    }
    const root = PageConfig.getOption('serverRoot');
    const offer = await offerFor(session, panel.context.path, root, Date.now(), this._exists, this._trans);
    if (offer !== null && !panel.isDisposed) {
      const line = new OfferLine(
        offer,
        verb => void runInNotebook(panel, resumeSource(session.id, this._trans, { verb }), this._trans),
        this._trans
      );
      this._keep(panel).offer = line;
      panel.contentHeader.addWidget(line);
    }
  }

  private readonly _exists = (path: string): Promise<boolean> =>
    this._contents.get(path, { content: false }).then(
      () => true,
      () => false
    );

  private _point(panel: NotebookPanel, session: string): void {
    this._keep(panel).offer?.dispose();
    setPointer(panel, session);
  }

  private _lookSoon(panel: NotebookPanel): void {
    const kept = this._keep(panel);
    clearTimeout(kept.timer);
    kept.timer = setTimeout(() => void this._quietly(() => this._look(panel)), SETTLE_MS);
  }

  /** A cell ran: the kernel may have opened another session by now, or closed its own. */
  private async _look(panel: NotebookPanel): Promise<void> {
    const opened = await this._lookup.opened();
    if (panel.isDisposed) {
      return;
    }
    const session = openIn(opened, this._keep(panel).paths, PageConfig.getOption('serverRoot'));
    if (session !== undefined) {
      this._show(panel, session);
      this._point(panel, session.id);
    } else if (this.sessionOf(panel).value?.isHere) {
      await this._learnPointer(panel);
    }
  }

  private async _learnPointer(panel: NotebookPanel): Promise<void> {
    const id = pointerOf(panel);
    const session = id === null ? null : await this._stored(id);
    if (!panel.isDisposed && pointerOf(panel) === id) {
      this._show(panel, session);
    }
  }

  private async _stored(id: string): Promise<Summary | null> {
    try {
      return await this._lookup.summary(id);
    } catch (reason) {
      if (reason instanceof ProblemError && GONE.has(reason.problem.code)) {
        return null;
      }
      throw reason;
    }
  }

  private _show(panel: NotebookPanel, session: Summary | null): void {
    const { paths, session: shown } = this._keep(panel);
    const root = PageConfig.getOption('serverRoot');
    shown.value = session && { session: legible(session), isHere: isOpenIn(session, paths, root) };
  }

  private _keep(panel: NotebookPanel): Kept {
    let kept = this._kept.get(panel);
    if (kept === undefined) {
      kept = { paths: new Set([panel.context.path]), session: new Observable<NotebookSession | null>(null) };
      this._kept.set(panel, kept);
    }
    return kept;
  }

  /** A server that is away, or without our extension, is told about elsewhere. */
  private async _quietly(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (reason) {
      if (!(reason instanceof ProblemError)) {
        throw reason;
      }
    }
  }

  private readonly _kept = new WeakMap<NotebookPanel, Kept>();
}

/** What the server says of a session that is deleted, or of an id that cannot be one. */
const GONE = new Set(['session_not_found', 'invalid_session_id']);
