// @vitest-environment jsdom

import { describe, expect, it, vi } from 'vitest';

import { NOW_MS, summary } from '../test/samples';
import { offerFor, OfferLine } from './offer';
import { contentsPath, isSamePlace } from './places';
import { openIn } from './pointer';
import { PLAIN } from './translation';

const ROOT = '/srv/me/notes';
const owner = (notebook: string | null, kind = 'kernel') => ({ kind, notebook, host: 'here', pid: 1 });

describe('places', () => {
  it.each([
    ['/srv/me/notes/a/b.ipynb', 'a/b.ipynb', ROOT, true],
    ['/srv/me/notes/a/b.ipynb', 'b.ipynb', ROOT, false],
    ['/srv/me/notes/b.ipynb', 'b.ipynb', '~/notes', true],
    ['/srv/me/other/b.ipynb', 'b.ipynb', '~/notes', false],
    ['C:\\Users\\me\\notes\\b.ipynb', 'b.ipynb', 'C:/Users/me/notes', true],
    ['/srv/me/notes/b.ipynb', 'RTC:b.ipynb', ROOT, true],
    [null, 'b.ipynb', ROOT, false]
  ])('are compared whole: %s and %s below %s', (stored, path, root, isSame) => {
    expect(isSamePlace(stored, path, root)).toBe(isSame);
  });

  it('have no name for the page outside of the root', () => {
    expect(contentsPath('/etc/b.ipynb', ROOT)).toBeNull();
  });
});

describe('the pointer', () => {
  it('goes to the session that the notebook has open, by any path it had', () => {
    const sessions = [
      summary({ id: 'closed', notebook: `${ROOT}/a.ipynb` }),
      summary({ id: 'server', state: 'open', owner: owner(`${ROOT}/a.ipynb`, 'server') }),
      summary({ id: 'other', state: 'open', owner: owner(`${ROOT}/sub/a.ipynb`) }),
      summary({ id: 'mine', state: 'open', owner: owner(`${ROOT}/a.ipynb`) })
    ];

    expect(openIn(sessions, ['renamed.ipynb', 'a.ipynb'], ROOT)?.id).toBe('mine');
    expect(openIn(sessions, ['renamed.ipynb'], ROOT)).toBeUndefined();
  });
});

describe('the offer', () => {
  const offered = async (part: object, existing: string[] = []) => {
    const session = summary({ notebook: `${ROOT}/a.ipynb`, ...part });
    const found = await offerFor(session, 'a.ipynb', ROOT, NOW_MS, async path => existing.includes(path), PLAIN);
    return found && `${found.choices.join()} ${found.text}`;
  };

  it('is to resume, when the session is closed', async () => {
    expect(await offered({})).toBe('resume This notebook has a session: “Outliers” (2 messages, 5 min ago).');
  });

  it('is nothing, when the session is open right here or cannot be read', async () => {
    expect(await offered({ state: 'open', owner: owner(`${ROOT}/a.ipynb`) })).toBeNull();
    expect(await offered({ state: 'damaged' })).toBeNull();
  });

  it('is a fork, when it is open elsewhere', async () => {
    expect(await offered({ state: 'open', owner: owner(`${ROOT}/b.ipynb`) })).toMatch(/^fork .* is open in b.ipynb/);
  });

  it('is a fork first, when the notebook is a copy', async () => {
    expect(await offered({ notebook: `${ROOT}/b.ipynb` }, ['b.ipynb'])).toMatch(/^fork,resume .* a copy of b.ipynb/);
  });

  it('is to resume, when the notebook was moved', async () => {
    expect(await offered({ notebook: `${ROOT}/old.ipynb` })).toMatch(/^resume This notebook has/);
    expect(await offered({ notebook: '/elsewhere/old.ipynb' })).toMatch(/^resume This notebook has/);
  });

  it('goes away with the choice', () => {
    const choose = vi.fn();
    const line = new OfferLine({ text: '<b>T</b>', choices: ['resume'] }, choose, PLAIN);

    line.node.querySelector('button')?.click();

    expect(line.node.querySelector('b')).toBeNull();
    expect(choose.mock.calls).toEqual([['resume']]);
    expect(line.isDisposed).toBe(true);
  });
});
