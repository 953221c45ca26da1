import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const doors = { node: startNodeDoor, workerd: startWorkerDoor };
const attempts = {
  'the metadata service': () => 'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
  'the metadata service over IPv6': () => 'http://[fd00:ec2::254]/latest/meta-data/',
  'another port of this machine': () => `http://127.0.0.1:${trap.port}/`,
  'this machine by name': () => `http://localhost:${trap.port}/`,
  'the upstream, which is allowed but was not asked': () => `${upstream.url}/v1/metrics`,
  'another host': () => 'https://evil.invalid/jwks.json',
  'another scheme': () => `https://127.0.0.1:${issuer.port}/jwks.json`,
  'a file': () => 'file:///etc/passwd',
  'an endless circle': () => '/jwks.json',
};

/** Answers every request by a redirect to where a test wants it. */
let issuer: LoopbackServer;
let redirect = '/';
/** What no request must reach. */
let trap: LoopbackServer;
let trapped = 0;
let upstream: Upstream;

beforeAll(async () => {
  issuer = await listenOnLoopback(
    createServer((_incoming, outgoing) => outgoing.writeHead(302, { location: redirect }).end()),
  );
  trap = await listenOnLoopback(
    createServer((_incoming, outgoing) => {
      trapped++;
      outgoing.end('{"keys":[]}');
    }),
  );
  upstream = await startUpstream();
});
afterAll(() => Promise.all([issuer?.down(), trap?.down(), upstream?.stop()]));

const environment = () => ({
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWKS_URL: `http://127.0.0.1:${issuer.port}/jwks.json`,
  TGEFD_JWKS_MAX_ATTEMPTS: '1',
  TGEFD_JWKS_TIMEOUT_SEC: '2',
  TGEFD_UPSTREAM_URL: upstream.url,
});
const header = Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url');
const claims = Buffer.from('{"sub":"alice"}').toString('base64url');
const token = `${header}.${claims}.${'A'.repeat(342)}`;

describe.each(Object.entries(doors))('where an issuer may send the key set’s request, on %s', (_, start) => {
  test.each(Object.entries(attempts))('not to %s', async (_name, location) => {
    redirect = location();
    const [reached, begun] = [trapped, upstream.counts.begun];
    const door: StartedDoor = await start(environment());
    try {
      const answer = await fetch(`${door.url}/v1/metrics`, { headers: { authorization: `Bearer ${token}` } });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'keys_unavailable']);
      expect([trapped - reached, upstream.counts.begun - begun]).toEqual([0, 0]);
      await expect
        .poll(() => door.lines.filter((line) => line.includes('egress_refused')).length, { timeout: 5000 })
        .toBeGreaterThanOrEqual(1);
    } finally {
      await door.stop();
    }
  });
});

describe.each(Object.entries(doors))('an upstream that redirects, on %s', (_, start) => {
  test('has its answer passed on, and nothing followed', async () => {
    redirect = `http://127.0.0.1:${trap.port}/`;
    const reached = trapped;
    const door = await start({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'none',
      TGEFD_UPSTREAM_URL: `http://127.0.0.1:${issuer.port}`,
    });
    try {
      const answer = await fetch(`${door.url}/v1/metrics`, { redirect: 'manual' });
      expect([answer.status, answer.headers.get('location')]).toEqual([302, redirect]);
      expect(trapped).toBe(reached);
    } finally {
      await door.stop();
    }
  });
});
