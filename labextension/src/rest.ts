import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ISidebarTransport } from './sidebarmodel';
import { Filter, Find, queryOf } from './listing';
import { Changes, Resume } from './model';
import { localProblem, ProblemError } from './problem';
import { ITrans, PLAIN } from './translation';
import { Briefing, Brought, FoundPage, Head, Limits, MessagePage, Problem, Summary } from './types';

/** Sessions over the REST endpoints of the Jupyter Server extension. */
export class RestTransport implements ISidebarTransport {
  /**
   * @param resumeIn opens a session in a notebook: the kernel resumes, not the page.
   * @param notebook the notebook in front, as a part of the path that kernels note; null where there is none.
   */
  constructor(
    private readonly _settings: ServerConnection.ISettings,
    private readonly _resumeIn: (id: string, how: Resume) => Promise<void>,
    private readonly _notebook: () => string | null = () => null,
    protected readonly _trans: ITrans = PLAIN
  ) {}

  readonly filters: readonly Filter[] = ['all', 'notebook', 'open', 'pinned', 'archived', 'trashed'];

  async find(wanted: Find, cursor: string | null, limit: number, known: string | null = null): Promise<FoundPage | null> {
    const query = new URLSearchParams({ limit: String(limit) });
    const q = queryOf(wanted, this._notebook());
    if (q !== '') {
      query.set('q', q);
    }
    if (cursor !== null) {
      query.set('cursor', cursor);
    }
    return wanted.text.trim() === '' ? this._list(query, known) : this._search(query, known);
  }

  async show(id: string): Promise<Head> {
    return this._json<Head>(`${sessionPath(id)}?messages=false`);
  }

  /** Numbers of messages stay when more are said, and a page of another revision is a page all the same. */
  async messages(id: string, _: string, before: number | null, limit: number): Promise<MessagePage> {
    const query = new URLSearchParams({ limit: String(limit), ...(before !== null && { before: String(before) }) });
    return this._json<MessagePage>(`${sessionPath(id)}/messages?${query}`);
  }

  /** The sessions that some process has open now. */
  async opened(): Promise<Summary[]> {
    return (await this._json<SessionsPage>('sessions?q=is%3Aopen')).sessions;
  }

  async summary(id: string): Promise<Summary> {
    return this.show(id);
  }

  async edit(id: string, changes: Changes): Promise<void> {
    await this._request(sessionPath(id), { method: 'PATCH', body: JSON.stringify(changes) });
  }

  async remove(id: string): Promise<void> {
    await this._request(sessionPath(id), { method: 'DELETE' });
  }

  async restore(id: string): Promise<void> {
    await this._request(`${sessionPath(id)}/restore`, { method: 'POST' });
  }

  async copy(id: string, message: string | null): Promise<Summary> {
    const body = JSON.stringify(message === null ? {} : { message });
    return this._json<Summary>(`${sessionPath(id)}/fork`, { method: 'POST', body });
  }

  async resume(id: string, how: Resume): Promise<Briefing | null> {
    const { session } = await this._json<Limits>(`limits?session=${encodeURIComponent(id)}`);
    // The kernel would refuse it in a cell, which nobody needs; the attempt would count, too.
    if (session !== null && session.resume.remaining === 0) {
      throw new ProblemError(tooSoon(session.resume.reset_s, this._trans));
    }
    await this._resumeIn(id, how);
    return null;
  }

  async formats(): Promise<readonly string[]> {
    const { paths } = await this._json<Document>('openapi.json');
    const parameters = paths['/sessions/{id}/export']?.get?.parameters ?? [];
    return parameters.find(({ name }) => name === 'format')?.schema?.enum ?? [];
  }

  async export(id: string, format: string): Promise<{ name: string; content: Blob }> {
    const response = await this._request(`${sessionPath(id)}/export?format=${encodeURIComponent(format)}`);
    const told = /filename="([^"/\\]+)"/.exec(response.headers.get('Content-Disposition') ?? '');
    return { name: told?.[1] ?? `${id}.${format}`, content: await response.blob() };
  }

  async import(file: File): Promise<Brought> {
    const headers = { 'Content-Type': 'application/octet-stream' };
    return this._json<Brought>('import', { method: 'POST', body: file, headers });
  }

  /** The stream of what changes; it ends with the connection. */
  async events(after: string | null, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers = { Accept: 'text/event-stream', ...(after !== null && { 'Last-Event-ID': after }) };
    const response = await this._request('events', { headers, signal });
    if (response.body === null || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      throw new ProblemError(noStream(this._trans));
    }
    return response.body;
  }

  private async _list(query: URLSearchParams, known: string | null): Promise<FoundPage | null> {
    const response = await this._request(`sessions?${query}`, { headers: unless(known), signal: patience() });
    if (response.status === 304) {
      return null;
    }
    const { sessions, next_cursor, count } = (await response.json()) as SessionsPage;
    const hits = sessions.map(session => ({ session, snippet: '' }));
    return { hits, next_cursor, count, etag: response.headers.get('ETag') };
  }

  /** A search has no tag of its own and counts against a limit: the list's tag says whether it may differ. */
  private async _search(query: URLSearchParams, known: string | null): Promise<FoundPage | null> {
    const listed = await this._request('sessions?limit=1', { headers: unless(known), signal: patience() });
    if (listed.status === 304) {
      return null;
    }
    query.set('sort', 'updated');
    const found = await this._json<FoundPage>(`search?${query}`);
    return { ...found, etag: listed.headers.get('ETag') };
  }

  private async _json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await this._request(path, init)).json()) as T;
  }

  private async _request(path: string, init: RequestInit = {}): Promise<Response> {
    const url = URLExt.join(this._settings.baseUrl, 'jido/api/v1', path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (reason) {
      if (reason instanceof ServerConnection.NetworkError) {
        throw new ProblemError(unreachable(this._trans));
      }
      throw reason;
    }
    if (response.ok || response.status === 304) {
      return response;
    }
    throw new ProblemError(await problemIn(response, this._trans));
  }
}

type SessionsPage = { sessions: Summary[]; next_cursor: string | null; count: number };

/** What we read of the OpenAPI document. */
type Document = {
  paths: Record<string, { get?: { parameters?: { name: string; schema?: { enum?: string[] } }[] } } | undefined>;
};

const PATIENCE_MS = 15_000; // the server itself gives up on a slow disk before

/** A server that hangs is as good as gone: the list says so. */
function patience(): AbortSignal {
  return AbortSignal.timeout(PATIENCE_MS);
}

function unless(known: string | null): HeadersInit {
  return known === null ? {} : { 'If-None-Match': known };
}

function unreachable(trans: ITrans): Problem {
  return localProblem(
    'unreachable',
    trans.__('Server not reachable'),
    trans.__(
      'The Jupyter server does not answer. Sessions on disk are safe; this list goes on by itself once the server is back.'
    )
  );
}

function notEnabled(trans: ITrans): Problem {
  return localProblem(
    'not_enabled',
    trans.__('Server extension not enabled'),
    trans.__(
      'The Jupyter server has no jido_jupyter extension. Run "jupyter server extension enable jido_jupyter" and restart the server.'
    )
  );
}

function notAllowed(trans: ITrans): Problem {
  return localProblem(
    'not_allowed',
    trans.__('Not logged in'),
    trans.__(
      'The Jupyter server refused this page. Reload it and log in again.'
    )
  );
}

function noStream(trans: ITrans): Problem {
  return localProblem(
    'no_stream',
    trans.__('No event stream'),
    trans.__('The server sends no events; the list is asked for instead.')
  );
}

function tooSoon(wait_s: number, trans: ITrans): Problem {
  const seconds = Math.max(1, Math.ceil(wait_s));
  const detail = trans.__(
    'This session was resumed too often in a short time. Try again in %1 s; nothing is lost.',
    seconds
  );
  return { ...localProblem('rate_limited', trans.__('Too many resumes'), detail), retry_after_s: seconds };
}

function sessionPath(id: string): string {
  return `sessions/${encodeURIComponent(id)}`;
}

/** Our server explains each refusal; whatever does not was answered by something in front of it. */
async function problemIn(response: Response, trans: ITrans): Promise<Problem> {
  if (response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return (await response.json()) as Problem;
  }
  if (response.status === 404) {
    return notEnabled(trans);
  }
  if (response.status === 401 || response.status === 403) {
    return notAllowed(trans);
  }
  return localProblem(
    'http_error',
    trans.__('Server error'),
    trans.__('The Jupyter server answered %1 %2.', response.status, response.statusText)
  );
}
