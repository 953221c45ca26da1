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

/** Answers every request by a redirect to where a test wants it, as each dependency of ours. */
let issuer: LoopbackServer;
let redirect = '/';
let redirected = 0;
/** What no request must reach. */
let trap: LoopbackServer;
let trapped = 0;
let upstream: Upstream;

beforeAll(async () => {
  issuer = await listenOnLoopback(
    createServer((incoming, outgoing) => {
      redirected++;
      incoming.resume();
      // 307 keeps method and body: what follows it would carry them elsewhere.
      outgoing.writeHead(incoming.method === 'GET' ? 302 : 307, { location: redirect }).end();
    }),
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

function here(path = '') {
  return `http://127.0.0.1:${issuer.port}${path}`;
}
const header = Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url');
const claims = Buffer.from('{"sub":"alice"}').toString('base64url');
const token = `${header}.${claims}.${'A'.repeat(342)}`;
function open() {
  return { TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'none', TGEFD_UPSTREAM_URL: upstream.url };
}

/** Every variable whose place is called for an answer, and what makes a door call it. STS is in the unit tests. */
const calls = {
  TGEFD_JWKS_URL: {
    env: () => ({
      ...open(),
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWKS_URL: here('/jwks.json'),
      TGEFD_JWKS_MAX_ATTEMPTS: '1',
      TGEFD_JWKS_TIMEOUT_SEC: '2',
    }),
    answer: [503, 'keys_unavailable'],
    forwards: 0,
  },
  TGEFD_REDIS_URL: {
    env: () => ({
      ...open(),
      TGEFD_REDIS_URL: here(),
      TGEFD_REDIS_TOKEN: 'a token for Redis alone',
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      TGEFD_RATE_LIMIT_MODE: 'exact',
      TGEFD_RATE_LIMIT_PER_MINUTE: '100',
      TGEFD_RATE_LIMIT_ON_ERROR: 'closed',
    }),
    answer: [503, 'limits_unavailable'],
    forwards: 0,
  },
  TGEFD_OTEL_ENDPOINT: {
    env: () => ({ ...open(), TGEFD_OTEL_ENABLED: 'true', TGEFD_OTEL_ENDPOINT: here('/v1/traces') }),
    answer: [200, null],
    forwards: 1,
  },
  TGEFD_AUDIT_S3_ENDPOINT: {
    // The outbox is away, so that each record goes straight to the bucket.
    env: () => ({
      ...open(),
      TGEFD_REDIS_URL: 'http://127.0.0.1:1',
      TGEFD_REDIS_TOKEN: 'token',
      TGEFD_AUDIT_BUCKET: 'records',
      TGEFD_AUDIT_S3_ENDPOINT: here(),
      TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'id',
      TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'secret',
      TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '0',
    }),
    answer: [200, null],
    forwards: 1,
  },
} as const;

describe.each(Object.entries(doors))('where a redirect may send a request of ours, on %s', (platform, start) => {
  describe.each(Object.entries(calls))('of %s', (variable, { env, answer, forwards }) => {
    // One that no longer asks after the first refusal is started anew for each attempt.
    const restarts = forwards === 0;
    let door: StartedDoor | null = null;
    afterAll(() => door?.stop());
    // The SDK, which Node alone carries, gives any redirect back as an error and has no hop to refuse.
    const recorded =
      platform === 'node' && variable === 'TGEFD_AUDIT_S3_ENDPOINT' ? 'audit_record_lost' : 'egress_refused';
    const records = () => door?.lines.filter((line) => line.includes(recorded)).length ?? 0;

    test.each(Object.entries(attempts))('not to %s', async (_name, location) => {
      redirect = location();
      const [reached, begun, sent] = [trapped, upstream.counts.begun, redirected];
      if (restarts) await door?.stop();
      if (restarts || door === null) door = await start(env());
      const before = restarts ? 0 : records(); // Keys are asked for at the start already.
      const given = await fetch(`${door.url}/v1/metrics`, { headers: { authorization: `Bearer ${token}` } });
      const body = await given.text();
      expect([given.status, given.ok ? null : JSON.parse(body).code]).toEqual(answer);
      await expect.poll(records, { timeout: 5000 }).toBeGreaterThan(before);
      expect(redirected).toBeGreaterThan(sent);
      expect([trapped - reached, upstream.counts.begun - begun]).toEqual([0, forwards]);
      expect(door.lines.join('\n')).not.toContain('a token for Redis alone');
    });
  });
});

describe('where a redirect may send the request for a secret, on node', () => {
  test.each(Object.entries(attempts))('of TGEFD_VAULT_URL not to %s', async (_name, location) => {
    redirect = location();
    const [reached, begun, sent] = [trapped, upstream.counts.begun, redirected];
    const told = await startNodeDoor({
      ...open(),
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_SECRET: 'vault:kv/tgefd/jwt#current',
      TGEFD_VAULT_URL: here(),
      TGEFD_VAULT_AUTH: 'token',
      TGEFD_VAULT_TOKEN: 'hvs.for-vault-alone',
    }).then(
      (door) => door.stop().then(() => 'started'),
      (error: Error) => error.message,
    );
    expect(told).toContain('TGEFD_JWT_SECRET: found ');
    expect(told).toContain('egress_refused');
    expect(told).not.toContain('hvs.for-vault-alone');
    expect(redirected).toBeGreaterThan(sent);
    expect([trapped - reached, upstream.counts.begun - begun]).toEqual([0, 0]);
  });
});

describe.each(Object.entries(doors))('an upstream that redirects, on %s', (_, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start({ ...open(), TGEFD_UPSTREAM_URL: here() });
  });
  afterAll(() => door?.stop());

  test.each(Object.entries(attempts))(
    'has its answer passed on, and nothing followed to %s',
    async (_name, location) => {
      redirect = location();
      const [reached, begun] = [trapped, upstream.counts.begun];
      const answer = await fetch(`${door.url}/v1/metrics`, { redirect: 'manual' });
      expect([answer.status, answer.headers.get('location')]).toEqual([302, redirect]);
      expect([trapped - reached, upstream.counts.begun - begun]).toEqual([0, 0]);
    },
  );
});
