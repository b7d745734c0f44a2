import { IObservable, Observable } from './observable';
import { Briefing, Problem } from './types';

export type Notice = {
  /** One notice per topic: a later one replaces the earlier. */
  topic: string;
  kind: 'information' | 'problem';
  title: string;
  lines: readonly string[];
};

/** What the user is told until dismissed. */
export interface INotices {
  readonly state: IObservable<readonly Notice[]>;
  dismiss(topic: string): void;
}

export class Notices implements INotices {
  readonly state = new Observable<readonly Notice[]>([]);

  /** Tell of a failed action. */
  problem(topic: string, problem: Problem): void {
    this._put({ topic, kind: 'problem', title: problem.title, lines: [problem.detail] });
  }

  /** Tell what a resume brought back. */
  briefing(briefing: Briefing): void {
    const lines = briefing.lines.length > 0 ? briefing.lines : [briefing.completeness];
    this._put({ topic: 'resume', kind: 'information', title: 'Session resumed', lines });
  }

  dismiss(topic: string): void {
    this.state.value = this.state.value.filter(notice => notice.topic !== topic);
  }

  private _put(notice: Notice): void {
    const others = this.state.value.filter(other => other.topic !== notice.topic);
    this.state.value = [...others, notice];
  }
}
