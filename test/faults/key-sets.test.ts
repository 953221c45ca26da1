import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { type EdgeCache, startEdgeCache } from '../support/edge-cache.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import type { KeySetFault } from '../support/key-set-faults.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

let issuer: Issuer;
let upstream: Upstream;

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
});
afterAll(() => Promise.all([issuer?.stop(), upstream?.stop()]));
beforeEach(async () => {
  await issuer.setFault(null);
  issuer.resetCounts();
});

function environment(more: Record<string, string> = {}) {
  return {
    ...jwtEnvironment(issuer),
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_JWKS_TTL_SEC: '300',
    TGEFD_JWKS_TIMEOUT_SEC: '1',
    TGEFD_JWKS_MAX_ATTEMPTS: '2',
    TGEFD_JWKS_BACKOFF_SEC: '0.05',
    TGEFD_JWKS_MAX_BACKOFF_SEC: '0.1',
    ...more,
  };
}

const doors = { node: startNodeDoor, workerd: startWorkerDoor };
/** The same door whose keys are old after a second and useless after three. */
const shortLived = { TGEFD_JWKS_TTL_SEC: '1', TGEFD_JWKS_MAX_STALE_SEC: '2' };

async function ask(door: StartedDoor, token: string) {
  const response = await fetch(`${door.url}/v1/jobs/1`, { headers: { authorization: `Bearer ${token}` } });
  const body = await response.text();
  const code: unknown = response.status === 200 ? null : JSON.parse(body).code;
  return { status: response.status, code, retryAfter: response.headers.get('retry-after') };
}

function pause(milliseconds: number) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The same token under a key id that nobody published. */
function underKey(token: string, kid: string) {
  const [, claims, signature] = token.split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid })).toString('base64url');
  return `${header}.${claims}.${signature}`;
}

async function until(condition: () => Promise<boolean>, limitMs: number) {
  const begunMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - begunMs > limitMs) throw new Error(`not within ${limitMs} ms`);
    await pause(50);
  }
}

const keyUnavailable = { status: 503, code: 'keys_unavailable' };
const invalid = { status: 401, code: 'credentials_invalid' };

describe.each(Object.entries(doors))('the key set of a faulty issuer, on %s', (_, start) => {
  let door: StartedDoor;
  const open = async (more: Record<string, string> = {}) => {
    door = await start(environment(more));
  };
  afterEach(() => door?.stop());

  it('fifty cold requests cost a slow issuer one fetch', async () => {
    await issuer.setFault({ kind: 'slow', delayMs: 400 });
    await open({ TGEFD_JWKS_TIMEOUT_SEC: '5' });
    const token = await issuer.token();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(door, token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(issuer.counts.keySetRequests).toBe(1);
  });

  it('down from the start: 503 and not 401, few fetches, and back within moments', async () => {
    await issuer.setFault({ kind: 'down' });
    await open();
    const token = await issuer.token();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(door, token)));
    for (const answer of answers) expect(answer).toMatchObject(keyUnavailable);
    for (const { retryAfter } of answers) expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    await issuer.setFault(null);
    await until(async () => (await ask(door, token)).status === 200, 5_000);
    expect(issuer.counts.keySetRequests).toBe(1);
  });

  it('never answering: requests are let go within two deadlines, and later ones at once', async () => {
    await issuer.setFault({ kind: 'hang' });
    await open();
    const token = await issuer.token();
    const begunMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(door, token)));
    for (const answer of answers) expect(answer).toMatchObject(keyUnavailable);
    expect(performance.now() - begunMs).toBeLessThan(4_000);
    expect(issuer.counts.keySetRequests).toBeLessThanOrEqual(2);
  });

  it('down later: the last good keys serve, told as degraded, and then 503', async () => {
    await open(shortLived);
    const token = await issuer.token();
    expect(await ask(door, token)).toMatchObject({ status: 200 });
    await issuer.setFault({ kind: 'down' });
    await pause(1_100);
    expect(await ask(door, token)).toMatchObject({ status: 200 });
    await pause(2_300);
    expect(await ask(door, token)).toMatchObject(keyUnavailable);
    const told = (...words: string[]) => door.lines.filter((line) => words.every((word) => line.includes(word))).length;
    await expect.poll(() => told('"type":"audit"', 'keys_stale'), { timeout: 5000 }).toBe(1);
    await expect.poll(() => told('key_set_unavailable'), { timeout: 5000 }).toBe(1);
  });

  it.each<[string, KeySetFault]>([
    ['a web page', { kind: 'html' }],
    ['JSON that never ends', { kind: 'endless' }],
    ['JSON that breaks off', { kind: 'truncated' }],
    ['an empty set', { kind: 'keys', keys: [] }],
    ['a redirect elsewhere', { kind: 'redirect', location: 'http://localhost:1/jwks' }],
  ])('lying with %s: the good keys stay, and the lie costs a fetch per rest', async (_name, fault) => {
    await open({ ...shortLived, TGEFD_JWKS_MAX_STALE_SEC: '60' });
    const token = await issuer.token();
    expect(await ask(door, token)).toMatchObject({ status: 200 });
    await issuer.setFault(fault);
    await pause(1_100);
    issuer.resetCounts();
    const begunMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(door, token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    // On a busy machine the first rest, of half a second or more, may be over before the last answer.
    const rests = Math.floor((performance.now() - begunMs) / 500);
    expect(issuer.counts.keySetRequests).toBeGreaterThanOrEqual(1);
    expect(issuer.counts.keySetRequests).toBeLessThanOrEqual(1 + rests);
    await issuer.setFault(null);
    await until(async () => {
      await ask(door, token);
      return door.lines.some((line) => line.includes('key_set_recovered'));
    }, 5_000);
  });

  it('rotating under a flood of unknown key ids: followed within seconds, counted fetches, the old key dead', async () => {
    await open();
    const old = await issuer.token();
    expect(await ask(door, old)).toMatchObject({ status: 200 });
    issuer.resetCounts();
    const flood = async (size: number) => {
      const answers = await Promise.all(
        Array.from({ length: size }, (_, index) => ask(door, underKey(old, `bogus-${index}`))),
      );
      for (const answer of answers) expect(answer).toMatchObject(invalid);
    };
    const begunMs = performance.now();
    await flood(100);
    // At most two at once, and those a second apart.
    expect(issuer.counts.keySetRequests).toBeLessThanOrEqual(performance.now() - begunMs < 1_000 ? 1 : 2);
    await issuer.rotate({ keepOld: false });
    const fresh = await issuer.token();
    await until(async () => {
      await flood(20);
      return (await ask(door, fresh)).status === 200;
    }, 11_000);
    expect(issuer.counts.keySetRequests).toBeLessThanOrEqual(4);
    expect(await ask(door, old)).toMatchObject(invalid);
  });
});

describe('Workers of one data centre', () => {
  let cache: EdgeCache;
  beforeAll(async () => {
    cache = await startEdgeCache();
  });
  afterAll(() => cache?.stop());

  it('leave the key set for each other: three new ones cost the issuer one fetch, also while it is down', async () => {
    const token = await issuer.token();
    const started: StartedDoor[] = [];
    try {
      for (let count = 0; count < 3; count++) {
        const door = await startWorkerDoor(environment(), { cachePort: cache.port });
        started.push(door);
        expect(await ask(door, token)).toMatchObject({ status: 200 });
        await issuer.setFault({ kind: 'down' });
      }
    } finally {
      await Promise.all(started.map((door) => door.stop()));
    }
    expect(issuer.counts.keySetRequests).toBe(1);
  });
});
