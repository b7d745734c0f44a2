import { ITrans } from './translation';
import { Problem } from './types';

/** A refusal with its wire form; thrown by transports, shown as a notice. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
  }
}

/** A problem found in the page itself; status 0 says that no server was asked or answered. */
export function localProblem(code: string, title: string, detail: string): Problem {
  return { type: 'about:blank', status: 0, code, title, detail };
}

/** The problem inside a caught value; anything else is a fault of ours and says so. */
export function problemOf(reason: unknown, trans: ITrans): Problem {
  if (reason instanceof ProblemError) {
    return reason.problem;
  }
  const text = reason instanceof Error ? reason.message : String(reason);
  return localProblem('internal', trans.__('Unexpected error'), trans.__('Something unexpected happened: %1', text));
}
