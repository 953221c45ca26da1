import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { signingJwk } from '../unit/archive/fixtures.ts';

let upstream: Upstream;
let door: StartedDoor | null = null;
const peers: (RawUpstream | LoopbackServer)[] = [];
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream?.stop());
afterEach(async () => {
  await door?.stop();
  door = null;
  await Promise.all(peers.splice(0).map((peer) => ('stop' in peer ? peer.stop() : peer.down())));
});

const ask = async (fields: readonly string[] = []) => {
  const answer = await requestRaw(door?.port ?? 0, 'GET /v1/metrics HTTP/1.1', ['Host: a.example', ...fields]);
  return { ...answer, code: answer.status < 300 ? null : JSON.parse(answer.body).code };
};
const lines = () => door?.lines.join('\n') ?? '';

describe.each([
  ['Node', startNodeDoor],
  ['workerd', startWorkerDoor],
] as const)('on %s', (_, start) => {
  const dead = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';

  test.each([
    ['000', 503],
    ['204', 503],
    ['206', 503],
    ['600', 503],
    ['200', 200],
  ] as const)(
    'a record without Redis, whose object store answers %s: %i',
    async (stored, status) => {
      const redis = await startRawUpstream(() => dead);
      const store = await startRawUpstream(
        () => `HTTP/1.1 ${stored} X\r\n${stored === '204' ? '' : 'Content-Length: 0\r\n'}\r\n`,
      );
      peers.push(redis, store);
      door = await start({
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'none',
        TGEFD_UPSTREAM_URL: upstream.url,
        TGEFD_REDIS_URL: redis.url,
        TGEFD_REDIS_TOKEN: 'token',
        TGEFD_REVOCATION_ON_ERROR: 'open',
        TGEFD_AUDIT_MODE: 'strict',
        TGEFD_AUDIT_BUCKET: 'records',
        TGEFD_AUDIT_S3_ENDPOINT: store.url,
        TGEFD_AUDIT_S3_REGION: 'auto',
        TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'key',
        TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'secret of the tests',
        TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
      });
      const answer = await ask();
      expect([answer.status, answer.code]).toEqual([status, status === 200 ? null : 'audit_unavailable']);
      expect(store.requests.length).toBeGreaterThan(0);
    },
    20_000,
  );

  test('a key set without any key for the allowed algorithms is 503 without Retry-After, told key by key', async () => {
    const keys = [
      {
        kty: 'EC',
        crv: 'P-256',
        kid: 'only-ec',
        use: 'sig',
        alg: 'ES256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    ];
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    });
    const issuer = await listenOnLoopback(server);
    peers.push(issuer);
    door = await start({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_ALLOWED_ALGS: 'RS256',
      TGEFD_JWT_ISSUER: 'https://issuer.example',
      TGEFD_JWT_AUDIENCE: 'api',
      TGEFD_JWKS_URL: `http://127.0.0.1:${issuer.port}/jwks`,
      TGEFD_UPSTREAM_URL: upstream.url,
    });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: 'https://issuer.example', aud: 'api', sub: 'alice', exp: 4_000_000_000 };
    const token = `${part({ alg: 'RS256', kid: 'only-ec' })}.${part(claims)}.${'A'.repeat(342)}`;
    const answer = await ask([`Authorization: Bearer ${token}`]);
    expect([answer.status, answer.code, answer.field('retry-after')]).toEqual([503, 'keys_unavailable', null]);
    await expect.poll(lines, { timeout: 5_000 }).toMatch(/"event":"key_unusable".*"key_id":"only-ec"/);
    expect(lines()).not.toContain('unreachable');
  });
});
