import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import { head, message, RATE_LIMITED, summary } from '../test/samples';
import { Find } from './listing';
import { Resume } from './model';
import { RestTransport } from './rest';

const ALL: Find = { text: '', filter: 'all' };

type Answer = (request: Request) => Response | Promise<Response>;

function transportOver(answer: Answer, notebook: string | null = null) {
  const requests: Request[] = [];
  const resumed: [string, Resume][] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/a%40b/',
    token: 'secret',
    fetch: async (input, init) => {
      const request = new Request(input, init);
      requests.push(request);
      return answer(request);
    }
  });
  const transport = new RestTransport(
    settings,
    async (id, how) => void resumed.push([id, how]),
    () => notebook
  );
  return { transport, requests, resumed };
}

function json(body: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(body), {
    ...init,
    headers: { 'Content-Type': 'application/json', ...init.headers }
  });
}

function page(part: object = {}, init: ResponseInit = {}): Response {
  return json({ sessions: [summary()], next_cursor: null, count: 1, ...part }, init);
}

function asked(request: Request): URLSearchParams {
  return new URL(request.url).searchParams;
}

function pathOf(request: Request): string {
  return new URL(request.url).pathname;
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'no problem',
    reason => reason.problem.code
  );
}

describe('list', () => {
  it('asks for a page below the base URL of the server', async () => {
    const { transport, requests } = transportOver(() => page({ next_cursor: '9' }, { headers: { ETag: '"7"' } }));

    const found = await transport.find(ALL, null, 50);

    expect(pathOf(requests[0])).toBe('/a%40b/jido/api/v1/sessions');
    expect(asked(requests[0]).get('limit')).toBe('50');
    expect(found).toEqual({ hits: [{ session: summary(), snippet: '' }], next_cursor: '9', count: 1, etag: '"7"' });
  });

  it('goes on where the page before ended', async () => {
    const { transport, requests } = transportOver(() => page());

    await transport.find(ALL, '17', 50);

    expect(asked(requests[0]).get('cursor')).toBe('17');
  });

  it('is null when the server knows our copy to be current', async () => {
    const { transport, requests } = transportOver(() => new Response(null, { status: 304 }));

    const found = await transport.find(ALL, null, 50, '"7"');

    expect(requests[0].headers.get('If-None-Match')).toBe('"7"');
    expect(found).toBeNull();
  });

  it.each([
    ['archived', 'is:archived'],
    ['trashed', 'is:trashed'],
    ['notebook', 'notebook:"work/a b.ipynb"']
  ] as const)('narrows down to %s', async (filter, query) => {
    const { transport, requests } = transportOver(() => page(), 'work/a b.ipynb');

    await transport.find({ text: '', filter }, null, 50);

    expect(asked(requests[0]).get('q')).toBe(query);
  });

  it('tells a server which is gone from one without the extension', async () => {
    const gone = transportOver(() => Promise.reject(new TypeError('Failed to fetch')));
    const bare = transportOver(() => json({ message: 'Not Found' }, { status: 404 }));

    expect(await codeOf(gone.transport.find(ALL, null, 50))).toBe('unreachable');
    expect(await codeOf(bare.transport.find(ALL, null, 50))).toBe('not_enabled');
  });

  it('asks for a login when the server refuses the page', async () => {
    const { transport } = transportOver(() => json({ message: 'Forbidden' }, { status: 403 }));

    expect(await codeOf(transport.find(ALL, null, 50))).toBe('not_allowed');
  });
});

describe('search', () => {
  const found = { hits: [{ session: summary(), snippet: 'Week 32' }], next_cursor: null, count: 9 };

  it('brings the text around what was found', async () => {
    const { transport, requests } = transportOver(request =>
      pathOf(request).endsWith('/search') ? json(found) : page({}, { headers: { ETag: '"7"' } })
    );

    const hits = await transport.find({ text: 'wee', filter: 'pinned' }, null, 50);

    expect(asked(requests[1]).get('q')).toBe('wee* is:pinned');
    expect(hits).toEqual({ ...found, etag: '"7"' });
  });

  it('is not made again while the store is as it was', async () => {
    const { transport, requests } = transportOver(() => new Response(null, { status: 304 }));

    const hits = await transport.find({ text: 'week', filter: 'all' }, null, 50, '"7"');

    expect(hits).toBeNull();
    expect(requests.map(pathOf)).toEqual(['/a%40b/jido/api/v1/sessions']);
  });
});

describe('one session', () => {
  it('is shown without its messages', async () => {
    const { transport, requests } = transportOver(() => json(head({ seal: 'verified' })));

    const shown = await transport.show('s1');

    expect(asked(requests[0]).get('messages')).toBe('false');
    expect(shown.seal).toBe('verified');
  });

  it('gives its messages by pages', async () => {
    const told = { messages: [message()], start: 3, total: 5 };
    const { transport, requests } = transportOver(() => json(told));

    const found = await transport.messages('s1', '3-abc', 4, 100);
    await transport.messages('s1', '3-abc', null, 100);

    expect(found).toEqual(told);
    expect(pathOf(requests[0])).toMatch(/\/sessions\/s1\/messages$/);
    expect(requests.map(request => asked(request).get('before'))).toEqual(['4', null]);
  });

  it('is asked for with its id escaped', async () => {
    const { transport, requests } = transportOver(() => json({}));

    await transport.show('../../api/kernels?x');

    expect(requests[0].url).toContain('/sessions/..%2F..%2Fapi%2Fkernels%3Fx');
  });

  it.each([
    ['DELETE', 's1', (transport: RestTransport) => transport.remove('s1')],
    ['PATCH', 's1', (transport: RestTransport) => transport.edit('s1', { pinned: true })],
    ['POST', 's1/restore', (transport: RestTransport) => transport.restore('s1')],
    ['POST', 's1/fork', (transport: RestTransport) => transport.copy('s1', 'm2')]
  ])('is changed by %s %s', async (method, path, act) => {
    const { transport, requests } = transportOver(() => json(summary()));

    await act(transport);

    expect(requests[0].method).toBe(method);
    expect(pathOf(requests[0])).toBe(`/a%40b/jido/api/v1/sessions/${path}`);
  });

  it('is edited and copied as asked', async () => {
    const { transport, requests } = transportOver(() => json(summary()));

    await transport.edit('s1', { title: 'New', tags: ['a'] });
    await transport.copy('s1', 'm2');

    expect(await Promise.all(requests.map(request => request.json()))).toEqual([
      { title: 'New', tags: ['a'] },
      { message: 'm2' }
    ]);
  });

  it('hands on the problem the server tells', async () => {
    const { transport } = transportOver(() =>
      json(RATE_LIMITED, { status: 429, headers: { 'Content-Type': 'application/problem+json' } })
    );

    await expect(transport.remove('s1')).rejects.toMatchObject({ problem: RATE_LIMITED });
  });
});

describe('resume', () => {
  const left = (remaining: number) => () => json({ session: { id: 's1', resume: { remaining, reset_s: 12.3 } } });

  it('is for the kernel, as asked', async () => {
    const { transport, resumed } = transportOver(left(1));

    await transport.resume('s1', { inNew: true });

    expect(resumed).toEqual([['s1', { inNew: true }]]);
  });

  it('does not trouble a kernel that would refuse', async () => {
    const { transport, resumed } = transportOver(left(0));

    await expect(transport.resume('s1', {})).rejects.toMatchObject({
      problem: { code: 'rate_limited', retry_after_s: 13 }
    });
    expect(resumed).toEqual([]);
  });
});

describe('files', () => {
  it('are exported under the name that the server gives, in a format that it has', async () => {
    const parameters = [{ name: 'format', schema: { enum: ['json', 'markdown'] } }];
    const { transport, requests } = transportOver(request =>
      request.url.includes('openapi')
        ? json({ paths: { '/sessions/{id}/export': { get: { parameters } } } })
        : new Response('# Outliers', { headers: { 'Content-Disposition': 'attachment; filename="jido-s1.md"' } })
    );

    const formats = await transport.formats();
    const { name, content } = await transport.export('s1', 'markdown');

    expect(formats).toEqual(['json', 'markdown']);
    expect(asked(requests[1]).get('format')).toBe('markdown');
    expect([name, await content.text()]).toEqual(['jido-s1.md', '# Outliers']);
  });

  it('are imported as they are', async () => {
    const brought = { sessions: [], failed: [] };
    const { transport, requests } = transportOver(() => json(brought, { status: 201 }));

    const told = await transport.import(new File(['{"a": 1}'], 'a.json'));

    expect(told).toEqual(brought);
    expect(pathOf(requests[0])).toMatch(/\/import$/);
    expect(await requests[0].text()).toBe('{"a": 1}');
  });
});

describe('events', () => {
  it('are asked for with the token, after the last one', async () => {
    const { transport, requests } = transportOver(
      () => new Response('event: ready\n\n', { headers: { 'Content-Type': 'text/event-stream' } })
    );

    await transport.events('ab-7', new AbortController().signal);

    expect(requests[0].headers.get('Last-Event-ID')).toBe('ab-7');
    expect(requests[0].headers.get('Authorization')).toBe('token secret');
  });

  it('are not taken from whatever answers instead', async () => {
    const { transport } = transportOver(() => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }));

    expect(await codeOf(transport.events(null, new AbortController().signal))).toBe('no_stream');
  });
});
