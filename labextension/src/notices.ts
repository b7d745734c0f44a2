import { IObservable, Observable } from './observable';
import { ITrans, PLAIN } from './translation';
import { Briefing, Problem } from './types';

export type NoticeAction = { label: string; act: () => void };

export type Notice = {
  /** One notice per topic: a later one replaces the earlier. */
  topic: string;
  kind: 'information' | 'problem';
  title: string;
  lines: readonly string[];
  /** Ways on; each takes the notice away. */
  actions?: readonly NoticeAction[];
};

/** What the user is told until dismissed. */
export interface INotices {
  readonly state: IObservable<readonly Notice[]>;
  dismiss(topic: string): void;
}

export class Notices implements INotices {
  constructor(private readonly _trans: ITrans = PLAIN) {}

  readonly state = new Observable<readonly Notice[]>([]);

  /** Tell of a failed action, and what can be done about it. */
  problem(topic: string, problem: Problem, actions?: readonly NoticeAction[]): void {
    this._put({ topic, kind: 'problem', title: problem.title, lines: [problem.detail], actions });
  }

  /** Tell what happened. */
  information(topic: string, title: string, lines: readonly string[] = [], actions?: readonly NoticeAction[]): void {
    this._put({ topic, kind: 'information', title, lines, actions });
  }

  /** Tell what a resume brought back. */
  briefing(briefing: Briefing): void {
    const lines = briefing.lines.length > 0 ? briefing.lines : [briefing.completeness];
    this.information('resume', this._trans.__('Session resumed'), lines);
  }

  dismiss(topic: string): void {
    if (this.state.value.some(notice => notice.topic === topic)) {
      this.state.value = this.state.value.filter(notice => notice.topic !== topic);
    }
  }

  private _put(notice: Notice): void {
    const others = this.state.value.filter(other => other.topic !== notice.topic);
    this.state.value = [...others, notice];
  }
}
