import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import { detail, message, RATE_LIMITED, summary } from '../test/samples';
import { Find } from './listing';
import { RestTransport } from './rest';

const ALL: Find = { text: '', filter: 'all' };

type Answer = (request: Request) => Response | Promise<Response>;

function transportOver(answer: Answer) {
  const requests: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/a%40b/',
    fetch: async (input, init) => {
      const request = new Request(input, init);
      requests.push(request);
      return answer(request);
    }
  });
  return { transport: new RestTransport(settings, async () => null), requests };
}

function json(body: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(body), {
    ...init,
    headers: { 'Content-Type': 'application/json', ...init.headers }
  });
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'no problem',
    reason => reason.problem.code
  );
}

describe('list', () => {
  it('asks below the base URL of the server', async () => {
    const { transport, requests } = transportOver(() => json({ sessions: [summary()] }));

    const page = await transport.find(ALL);

    expect(new URL(requests[0].url).pathname).toBe('/a%40b/jido/api/v1/sessions');
    expect(page).toEqual({ hits: [{ session: summary(), snippet: '' }], next_cursor: null, count: 1 });
  });

  it('is null when the server knows our copy to be current', async () => {
    const { transport, requests } = transportOver(request =>
      request.headers.get('If-None-Match') === '"7"'
        ? new Response(null, { status: 304 })
        : json({ sessions: [] }, { headers: { ETag: '"7"' } })
    );
    await transport.find(ALL);

    const second = await transport.find(ALL);

    expect(requests[0].headers.has('If-None-Match')).toBe(false);
    expect(second).toBeNull();
  });

  it('tells a server which is gone from one without the extension', async () => {
    const gone = transportOver(() => Promise.reject(new TypeError('Failed to fetch')));
    const bare = transportOver(() => json({ message: 'Not Found' }, { status: 404 }));

    expect(await codeOf(gone.transport.find(ALL))).toBe('unreachable');
    expect(await codeOf(bare.transport.find(ALL))).toBe('not_enabled');
  });

  it('asks for a login when the server refuses the page', async () => {
    const { transport } = transportOver(() => json({ message: 'Forbidden' }, { status: 403 }));

    expect(await codeOf(transport.find(ALL))).toBe('not_allowed');
  });
});

describe('one session', () => {
  it('comes in pages out of one request', async () => {
    const said = Array.from({ length: 5 }, (_, number) => message({ id: `m${number}` }));
    const { transport, requests } = transportOver(() => json(detail({ messages: said })));
    const { id, revision } = await transport.show('s1');

    const page = await transport.messages(id, revision, 4, 2);

    expect(page).toEqual({ messages: said.slice(2, 4), start: 2, total: 5 });
    expect(requests).toHaveLength(1);
  });

  it('is asked for with its id escaped', async () => {
    const { transport, requests } = transportOver(() => json({}));

    await transport.show('../../api/kernels?x');

    expect(requests[0].url).toContain('/sessions/..%2F..%2Fapi%2Fkernels%3Fx');
  });

  it('goes to the trash by DELETE', async () => {
    const { transport, requests } = transportOver(() => new Response(null, { status: 204 }));

    await transport.remove('s1');

    expect(requests[0].method).toBe('DELETE');
    expect(new URL(requests[0].url).pathname).toMatch(/\/sessions\/s1$/);
  });

  it('hands on the problem the server tells', async () => {
    const { transport } = transportOver(() =>
      json(RATE_LIMITED, { status: 429, headers: { 'Content-Type': 'application/problem+json' } })
    );

    await expect(transport.remove('s1')).rejects.toMatchObject({ problem: RATE_LIMITED });
  });
});
