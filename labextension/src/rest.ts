import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { arranged, Filter, Find } from './listing';
import { ISessionsTransport } from './model';
import { localProblem, ProblemError } from './problem';
import { Briefing, Detail, FoundPage, Head, MessagePage, Problem, Summary } from './types';

/** Sessions over the REST endpoints of the Jupyter Server extension. */
export class RestTransport implements ISessionsTransport {
  /**
   * @param resume opens a session in a notebook: the kernel resumes, not the page.
   */
  constructor(
    private readonly _settings: ServerConnection.ISettings,
    readonly resume: (id: string) => Promise<Briefing | null>
  ) {}

  readonly filters: readonly Filter[] = ['all', 'open', 'pinned', 'archived'];

  async find(wanted: Find): Promise<FoundPage | null> {
    const isNew = await this._list();
    const key = `${wanted.filter} ${wanted.text}`;
    if (!isNew && key === this._answered) {
      return null;
    }
    this._answered = key;
    const hits = arranged(this._listed, wanted).map(session => ({ session, snippet: '' }));
    return { hits, next_cursor: null, count: this._listed.length };
  }

  async show(id: string): Promise<Head> {
    const response = await this._request(sessionPath(id));
    this._shown = (await response.json()) as Detail;
    return this._shown;
  }

  /** The server sends a session whole; the pages of the one shown last are at hand. */
  async messages(id: string, revision: string, before: number | null, limit: number): Promise<MessagePage> {
    if (this._shown?.id !== id || this._shown.revision !== revision) {
      await this.show(id);
    }
    const { messages } = this._shown!;
    const end = before ?? messages.length;
    const start = Math.max(0, end - limit);
    return { messages: messages.slice(start, end), start, total: messages.length };
  }

  /** The sessions that some process has open now. */
  async opened(): Promise<Summary[]> {
    const response = await this._request('sessions?q=is%3Aopen');
    return ((await response.json()) as { sessions: Summary[] }).sessions;
  }

  async summary(id: string): Promise<Summary> {
    const response = await this._request(sessionPath(id));
    return (await response.json()) as Summary;
  }

  async remove(id: string): Promise<void> {
    await this._request(sessionPath(id), { method: 'DELETE' });
  }

  /** Whether the list is another one than before. */
  private async _list(): Promise<boolean> {
    const headers: HeadersInit = this._etag === null ? {} : { 'If-None-Match': this._etag };
    const response = await this._request(`sessions?limit=${PAGE}`, { headers });
    if (response.status === 304) {
      return false;
    }
    let page = (await response.json()) as SessionsPage;
    const listed = [...page.sessions];
    while (page.next_cursor) {
      const next = `sessions?limit=${PAGE}&cursor=${encodeURIComponent(page.next_cursor)}`;
      page = (await (await this._request(next)).json()) as SessionsPage;
      listed.push(...page.sessions);
    }
    this._listed = listed;
    this._etag = response.headers.get('ETag');
    return true;
  }

  private async _request(path: string, init: RequestInit = {}): Promise<Response> {
    const url = URLExt.join(this._settings.baseUrl, 'jido/api/v1', path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (reason) {
      if (reason instanceof ServerConnection.NetworkError) {
        throw new ProblemError(UNREACHABLE);
      }
      throw reason;
    }
    if (response.ok || response.status === 304) {
      return response;
    }
    throw new ProblemError(await problemIn(response));
  }

  private _etag: string | null = null;
  private _listed: Summary[] = [];
  private _answered: string | null = null;
  private _shown: Detail | null = null;
}

/** Sessions that are asked for at once; the server gives no more. */
const PAGE = 500;

type SessionsPage = { sessions: Summary[]; next_cursor?: string | null };

const UNREACHABLE = localProblem(
  'unreachable',
  'Server not reachable',
  'The Jupyter server does not answer. Sessions on disk are safe; this list goes on by itself once the server is back.'
);

const NOT_ENABLED = localProblem(
  'not_enabled',
  'Server extension not enabled',
  'The Jupyter server has no jido_jupyter extension. Run "jupyter server extension enable jido_jupyter" and restart the server.'
);

const NOT_ALLOWED = localProblem(
  'not_allowed',
  'Not logged in',
  'The Jupyter server refused this page. Reload it and log in again.'
);

function sessionPath(id: string): string {
  return `sessions/${encodeURIComponent(id)}`;
}

/** Our server explains each refusal; whatever does not was answered by something in front of it. */
async function problemIn(response: Response): Promise<Problem> {
  if (response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return (await response.json()) as Problem;
  }
  if (response.status === 404) {
    return NOT_ENABLED;
  }
  if (response.status === 401 || response.status === 403) {
    return NOT_ALLOWED;
  }
  return localProblem(
    'http_error',
    'Server error',
    `The Jupyter server answered ${response.status} ${response.statusText}.`
  );
}
