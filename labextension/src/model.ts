import { Notices } from './notices';
import { IObservable, Observable } from './observable';
import { problemOf } from './problem';
import { Briefing, Detail, Problem, Summary } from './types';

/** How the sessions are reached; one per host. Failures are thrown as `ProblemError`. */
export interface ISessionsTransport {
  /** All sessions, or null when nothing changed since the last call. */
  list(): Promise<Summary[] | null>;
  show(id: string): Promise<Detail>;
  /** Move to the trash. */
  remove(id: string): Promise<void>;
  /** Open again; null when the host shows the briefing itself. */
  resume(id: string): Promise<Briefing | null>;
}

/** Lost keeps the reason; the last known list stays on show. */
export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'lost'; problem: Problem };

export type Preview = {
  id: string;
  /** Null until it is loaded. */
  detail: Detail | null;
};

export type SessionsState = {
  /** Null until the first answer. */
  sessions: readonly Summary[] | null;
  connection: Connection;
  preview: Preview | null;
  /** No resume is asked for before this time [ms, clock of the model]. */
  resumeBlockedUntil_ms: number;
  /** Sessions with a resume or delete under way. */
  busy: ReadonlySet<string>;
};

/** The sessions of a store as a view needs them, whatever the host. */
export interface ISessionsModel {
  readonly state: IObservable<SessionsState>;
  refresh(): Promise<void>;
  openPreview(id: string): Promise<void>;
  closePreview(): void;
  resume(id: string): Promise<void>;
  remove(id: string): Promise<void>;
}

export class SessionsModel implements ISessionsModel {
  /**
   * @param now the clock [ms]; the same one is given to the views.
   */
  constructor(
    private readonly _transport: ISessionsTransport,
    private readonly _notices: Notices,
    private readonly _now: () => number
  ) {}

  readonly state = new Observable<SessionsState>({
    sessions: null,
    connection: { kind: 'connecting' },
    preview: null,
    resumeBlockedUntil_ms: 0,
    busy: new Set()
  });

  async refresh(): Promise<void> {
    try {
      const sessions = await this._transport.list();
      if (sessions === null) {
        this.alive();
      } else {
        this.receive(sessions);
      }
    } catch (reason) {
      this.lost(problemOf(reason));
    }
  }

  /** Take over a complete list; it came by asking or was pushed. */
  receive(sessions: readonly Summary[]): void {
    this._patch({ sessions });
    this.alive();
  }

  /** The other side answered. */
  alive(): void {
    if (this.state.value.connection.kind !== 'live') {
      this._patch({ connection: { kind: 'live' } });
    }
  }

  /** The other side cannot be reached; what is known stays. */
  lost(problem: Problem): void {
    const { connection } = this.state.value;
    // A poll fails every second or two; an unchanged reason must not repaint the page.
    if (connection.kind !== 'lost' || connection.problem.detail !== problem.detail) {
      this._patch({ connection: { kind: 'lost', problem } });
    }
  }

  async openPreview(id: string): Promise<void> {
    this._patch({ preview: { id, detail: null } });
    try {
      const detail = await this._transport.show(id);
      // The user may have gone back or on to another session meanwhile.
      if (this.state.value.preview?.id === id) {
        this._patch({ preview: { id, detail } });
      }
    } catch (reason) {
      this._notices.problem('preview', problemOf(reason));
      if (this.state.value.preview?.id === id) {
        this.closePreview();
      }
    }
  }

  closePreview(): void {
    this._patch({ preview: null });
  }

  async resume(id: string): Promise<void> {
    // Refused attempts count against the limit too, so asking early would only prolong the wait.
    if (this._now() < this.state.value.resumeBlockedUntil_ms) {
      return;
    }
    await this._while(id, async () => {
      try {
        const briefing = await this._transport.resume(id);
        this._notices.dismiss('resume');
        this.closePreview();
        if (briefing !== null) {
          this._notices.briefing(briefing);
        }
      } catch (reason) {
        const problem = problemOf(reason);
        if (problem.code === 'rate_limited') {
          const wait_ms = 1000 * (problem.retry_after_s ?? 0);
          this._patch({ resumeBlockedUntil_ms: this._now() + wait_ms });
        }
        this._notices.problem('resume', problem);
      }
    });
  }

  async remove(id: string): Promise<void> {
    await this._while(id, async () => {
      try {
        await this._transport.remove(id);
        this._notices.dismiss('delete');
        const sessions = this.state.value.sessions?.filter(session => session.id !== id) ?? null;
        const closes = this.state.value.preview?.id === id;
        this._patch({ sessions, ...(closes && { preview: null }) });
      } catch (reason) {
        this._notices.problem('delete', problemOf(reason));
      }
    });
  }

  private async _while(id: string, act: () => Promise<void>): Promise<void> {
    if (this.state.value.busy.has(id)) {
      return;
    }
    this._patch({ busy: new Set([...this.state.value.busy, id]) });
    try {
      await act();
    } finally {
      const busy = new Set(this.state.value.busy);
      busy.delete(id);
      this._patch({ busy });
    }
  }

  private _patch(part: Partial<SessionsState>): void {
    this.state.value = { ...this.state.value, ...part };
  }
}
