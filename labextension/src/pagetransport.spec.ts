// @vitest-environment jsdom

import { Kernel, ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import { PageTransport } from './pagetransport';
import { PLAIN } from './translation';

/** A kernel that writes down what it is asked, and a server that does, too. */
function page(isOpenHere: boolean, reply: object = { status: 'ok' }) {
  const log: string[] = [];
  const kernel = {
    requestExecute: (request: { code: string; silent: boolean }) => {
      log.push(`${request.silent ? 'silent ' : ''}${request.code}`);
      return { done: Promise.resolve({ content: reply }) };
    }
  } as unknown as Kernel.IKernelConnection;
  const fetch = async (request: RequestInfo | URL) => {
    log.push(`${(request as Request).method} ${new URL((request as Request).url).pathname}`);
    return new Response('{}', { status: 200 });
  };
  const settings = ServerConnection.makeSettings({ baseUrl: 'http://host/', fetch, appendToken: false });
  const transport = new PageTransport(
    id => (isOpenHere && id === 's1' ? kernel : null),
    settings,
    async () => undefined,
    () => null,
    PLAIN
  );
  return { log, transport };
}

describe('a change of a session', () => {
  it('goes to the server, when no notebook of this page has it open', async () => {
    const { log, transport } = page(false);

    await transport.edit('s1', { title: 'Peaks' });

    expect(log).toEqual(['PATCH /jido/api/v1/sessions/s1']);
  });

  it('goes to the kernel that has it open, silently, and as a value whatever it says', async () => {
    const { log, transport } = page(true);

    await transport.edit('s1', { title: `"); import os #\n\\'` });

    expect(log).toEqual([
      String.raw`silent __import__('jido_jupyter').current().live.edit(**__import__('json').loads("{\"title\":\"\\\"); import os #\\n\\\\'\"}"))`
    ]);
  });

  it.each([
    [{ status: 'error', ename: 'InvalidField', evalue: 'The title is too long.' }, 'The title is too long.'],
    [{ status: 'aborted' }, 'The kernel ended before it could.']
  ])('that the kernel refuses is told: %s', async (reply, detail) => {
    const { transport } = page(true, reply);

    await expect(transport.edit('s1', { pinned: true })).rejects.toMatchObject({ problem: { detail } });
  });
});
