/** Notebooks and their sessions: keeps each one's pointer, and offers its session when it is opened. */

import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { Contents } from '@jupyterlab/services';

import { OfferLine, offerFor } from './offer';
import { openIn, pointerOf, setPointer } from './pointer';
import { ProblemError } from './problem';
import { resumeSource, runInNotebook } from './resume';
import { Summary } from './types';

const SETTLE_MS = 700; // after a cell has run, until its kernel's sessions are looked at

export interface ISessionLookup {
  opened(): Promise<Summary[]>;
  summary(id: string): Promise<Summary>;
}

export class Notebooks {
  constructor(
    tracker: INotebookTracker,
    private readonly _lookup: ISessionLookup,
    private readonly _contents: Contents.IManager
  ) {
    tracker.widgetAdded.connect((_, panel) => void this._opened(panel));
    tracker.forEach(panel => void this._opened(panel));
    NotebookActions.executed.connect((_, { notebook }) => {
      const panel = tracker.find(other => other.content === notebook);
      if (panel) {
        this._lookSoon(panel);
      }
    });
  }

  /** The panel in a notebook says which session it shows. */
  point(panel: NotebookPanel, session: string): void {
    this._offers.get(panel)?.dispose();
    setPointer(panel, session);
  }

  private async _opened(panel: NotebookPanel): Promise<void> {
    const paths = new Set([panel.context.path]);
    this._paths.set(panel, paths);
    panel.context.pathChanged.connect((_, path) => paths.add(path));
    await panel.context.ready;
    const id = pointerOf(panel);
    if (id !== null && !panel.isDisposed) {
      await this._quietly(() => this._offer(panel, id));
    }
  }

  private async _offer(panel: NotebookPanel, id: string): Promise<void> {
    const session = await this._lookup.summary(id);
    const root = PageConfig.getOption('serverRoot');
    const offer = await offerFor(session, panel.context.path, root, Date.now(), path =>
      this._contents.get(path, { content: false }).then(
        () => true,
        () => false
      )
    );
    if (offer !== null && !panel.isDisposed) {
      const line = new OfferLine(offer, verb => void runInNotebook(panel, resumeSource(id, verb)));
      this._offers.set(panel, line);
      panel.contentHeader.addWidget(line);
    }
  }

  private _lookSoon(panel: NotebookPanel): void {
    clearTimeout(this._timers.get(panel));
    const look = () => this._quietly(() => this._look(panel));
    this._timers.set(panel, setTimeout(() => void look(), SETTLE_MS));
  }

  private async _look(panel: NotebookPanel): Promise<void> {
    const opened = await this._lookup.opened();
    const root = PageConfig.getOption('serverRoot');
    const session = panel.isDisposed ? undefined : openIn(opened, this._paths.get(panel) ?? [], root);
    if (session !== undefined) {
      this.point(panel, session.id);
    }
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

  private readonly _paths = new WeakMap<NotebookPanel, Set<string>>();
  private readonly _offers = new WeakMap<NotebookPanel, OfferLine>();
  private readonly _timers = new WeakMap<NotebookPanel, ReturnType<typeof setTimeout>>();
}
