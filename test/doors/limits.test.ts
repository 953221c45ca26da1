import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const program = await redisProgram();

describeWith([program], 'limits and revocation through real doors on one Redis', () => {
  let issuer: Issuer;
  let upstream: Upstream;
  let redis: RedisParts;
  beforeAll(async () => {
    [issuer, upstream, redis] = await Promise.all([startIssuer(), startUpstream(), startRedis(program)]);
  });
  afterAll(() => Promise.all([issuer?.stop(), upstream?.stop(), redis?.stop()]));

  const environment = (more: Record<string, string>) => ({
    ...jwtEnvironment(issuer),
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_REDIS_TIMEOUT_MS: '2000',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'one pseudonym key that all doors share',
    TGEFD_AUDIT_MODE: 'off',
    TGEFD_AUDIT_LOG: 'false',
    ...more,
  });
  let subjects = 0;
  const fresh = () => `subject-${process.pid}-${++subjects}`;
  const ask = (door: StartedDoor, token: string, path = '/v1/metrics', init: RequestInit = {}) =>
    fetch(`${door.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

  describeWith([program], 'exact', () => {
    let node: StartedDoor;
    let worker: StartedDoor;
    beforeAll(async () => {
      const exact = environment({
        TGEFD_RATE_LIMIT_MODE: 'exact',
        TGEFD_RATE_LIMIT_PER_MINUTE: '6',
        TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '2',
      });
      [node, worker] = await Promise.all([startNodeDoor(exact), startWorkerDoor(exact)]);
    });
    afterAll(() => Promise.all([node?.stop(), worker?.stop()]));

    test('one budget for both doors, told in fields and in Retry-After', async () => {
      const token = await issuer.token({ subject: fresh() });
      const statuses: number[] = [];
      for (let turn = 0; turn < 6; turn++) statuses.push((await ask(turn % 2 === 0 ? node : worker, token)).status);
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
      for (const door of [node, worker]) {
        const refused = await ask(door, token);
        expect(refused.status).toBe(429);
        expect((await refused.json()).code).toBe('rate_limited');
        const seconds = Number(refused.headers.get('retry-after'));
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(10);
        expect(refused.headers.get('ratelimit-policy')).toBe('"general";q=6;w=60');
        expect(refused.headers.get('ratelimit')).toBe(`"general";r=0;t=${seconds}`);
      }
    });

    test('a heavy request spends from both budgets, and from neither when one refuses', async () => {
      const token = await issuer.token({ subject: fresh() });
      const post = () => ask(node, token, '/v1/discover', { method: 'POST', body: '{}' });
      expect([(await post()).status, (await post()).status, (await post()).status]).toEqual([200, 200, 429]);
      const rest: number[] = [];
      for (let turn = 0; turn < 5; turn++) rest.push((await ask(node, token)).status);
      expect(rest).toEqual([200, 200, 200, 200, 429]);
    });

    test('nothing that the caller chooses makes another budget of it', async () => {
      const subject = fresh();
      const variants: [string, string[]][] = [
        ['/v1/metrics', ['X-Forwarded-For: 198.51.100.1']],
        ['/v1/metrics?x=1', ['X-Forwarded-For: 198.51.100.2', 'X-Real-IP: 198.51.100.3']],
        ['/v1/%6detrics', ['X-Auth-Request-User: somebody-else']],
        ['/metrics', ['X-Client-Id: somebody-else', 'X_Client_Id: another']],
        ['/v1/metrics', ['Forwarded: for=198.51.100.4', 'CF-Connecting-IP: 198.51.100.5']],
        ['/v1/metrics', ['X-API-Key: another', 'X-Request-Id: another']],
        ['/v1/metrics', ['User-Agent: another']],
      ];
      const statuses: number[] = [];
      for (const [target, fields] of variants) {
        const token = await issuer.token({ subject }); // A new token, a new jti: the same caller.
        const line = `GET ${target} HTTP/1.1`;
        statuses.push(
          (await requestRaw(node.port, line, ['Host: a', `Authorization: Bearer ${token}`, ...fields])).status,
        );
      }
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429]);
    });

    test('one trip a decision, revocation and both budgets together', async () => {
      const token = await issuer.token({ subject: fresh() });
      await ask(node, token);
      redis.resetCounts();
      await ask(node, token, '/v1/discover', { method: 'POST', body: '{}' });
      await ask(node, token);
      expect(redis.counts.requests).toBe(2);
    });

    test('no raw identity is in any key or value of Redis', async () => {
      const subject = fresh();
      await ask(node, await issuer.token({ subject }));
      const keys = await redis.client.keys('*');
      expect(keys.length).toBeGreaterThan(0);
      expect(keys.join('\n')).not.toContain(subject);
      for (const key of keys) expect((await redis.client.dumpBuffer(key))?.toString('latin1')).not.toContain(subject);
    });
  });

  for (const mode of ['exact', 'leased'] as const) {
    describeWith([program], `revocation, ${mode}`, () => {
      let node: StartedDoor;
      let worker: StartedDoor;
      let admin: string;
      beforeAll(async () => {
        const env = environment({
          TGEFD_RATE_LIMIT_MODE: mode,
          TGEFD_RATE_LIMIT_PER_MINUTE: '60000',
          TGEFD_REVOCATION_MAX_DELAY_SEC: '1',
        });
        [node, worker] = await Promise.all([startNodeDoor(env), startWorkerDoor(env)]);
        admin = await issuer.token({ subject: 'the-operator', scope: 'revoke' });
      });
      afterAll(() => Promise.all([node?.stop(), worker?.stop()]));

      const post = (body: string, by = admin) => ask(node, by, '/_authorizer/revocations', { method: 'POST', body });
      const revoke = (body: object, by = admin) => post(JSON.stringify(body), by);
      /** Refused at once in exact mode, within the bound of a second in leased mode. */
      const refusedWithinBound = async (door: StartedDoor, token: string) => {
        const begunMs = Date.now();
        for (;;) {
          const { status } = await ask(door, token);
          if (status === 401) return Date.now() - begunMs;
          if (mode === 'exact' || Date.now() - begunMs > 3000) return Number.POSITIVE_INFINITY;
        }
      };
      const jtiOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti;

      test('of one token: that token at every door, and no other', async () => {
        const subject = fresh();
        const [bad, good] = [await issuer.token({ subject }), await issuer.token({ subject })];
        for (const door of [node, worker]) expect((await ask(door, bad)).status).toBe(200);
        expect((await revoke({ kind: 'jti', id: jtiOf(bad), reason: 'leaked' })).status).toBe(201);
        for (const door of [node, worker]) expect(await refusedWithinBound(door, bad)).toBeLessThan(2000);
        for (const door of [node, worker]) expect((await ask(door, good)).status).toBe(200);
      });

      test('of a subject: tokens issued before, not those after', async () => {
        const subject = fresh();
        const nowSeconds = Math.floor(Date.now() / 1000);
        const before = await issuer.token({ subject, claims: { iat: nowSeconds - 10 } });
        const after = await issuer.token({ subject, claims: { iat: nowSeconds + 5 } });
        expect((await revoke({ kind: 'sub', id: subject, before: nowSeconds })).status).toBe(201);
        expect(await refusedWithinBound(node, before)).toBeLessThan(2000);
        expect((await ask(node, after)).status).toBe(200);
        expect((await ask(node, await issuer.token({ subject: fresh() }))).status).toBe(200);
      });

      test('can be read and taken back', async () => {
        const subject = fresh();
        const token = await issuer.token({ subject });
        const path = `/_authorizer/revocations/jti/${jtiOf(token)}`;
        expect((await ask(node, admin, path)).status).toBe(404);
        await revoke({ kind: 'jti', id: jtiOf(token) });
        expect(await (await ask(worker, admin, path)).json()).toMatchObject({ kind: 'jti' });
        expect(await (await ask(node, admin, '/_authorizer/revocations')).json()).toMatchObject({
          entries: expect.any(Array),
        });
        expect((await ask(node, admin, path, { method: 'DELETE' })).status).toBe(200);
        expect((await ask(node, admin, path)).status).toBe(404);
      });

      test('needs its own scope: not *, not any other, and never a malformed body', async () => {
        const star = await issuer.token({ subject: fresh(), scope: '', claims: { scope: '*' } });
        const others = await issuer.token({ subject: fresh(), scope: 'discover evaluate jobs metrics' });
        const role = await issuer.token({ subject: fresh(), scope: '', claims: { role: 'admin' } });
        const entry = { kind: 'jti', id: 'x' };
        expect((await revoke(entry, star)).status).toBe(403);
        expect((await revoke(entry, others)).status).toBe(403);
        expect((await revoke(entry, role)).status).toBe(201);
        for (const body of [
          {},
          { kind: 'jti' },
          { kind: 'thumbprint', id: 'CN=machine' },
          { kind: 'nothing', id: 'x' },
          { ...entry, extra: 1 },
          { ...entry, before: 1 },
          { ...entry, id: 'x'.repeat(600) },
        ])
          expect((await revoke(body)).status).toBe(400);
        expect((await post('{"kind":"jti","id":"x","id":"y"}')).status).toBe(400);
        const asPrinted = await revoke({ kind: 'thumbprint', id: 'AB'.repeat(32) });
        expect(await asPrinted.json()).toMatchObject({ id: Buffer.alloc(32, 0xab).toString('base64url') });
      });
    });
  }

  describeWith([program], 'while Redis is in trouble', () => {
    let door: StartedDoor;
    beforeAll(async () => {
      door = await startNodeDoor(
        environment({
          TGEFD_RATE_LIMIT_MODE: 'exact',
          TGEFD_RATE_LIMIT_PER_MINUTE: '100',
          TGEFD_REDIS_TIMEOUT_MS: '200',
        }),
      );
    });
    afterAll(() => door?.stop());
    beforeEach(() => redis.setFault(null));

    test('nobody can say who is revoked: 503, never the caller’s 401, and one line in the log', async () => {
      const token = await issuer.token({ subject: fresh() });
      expect((await ask(door, token)).status).toBe(200);
      const lines = door.lines.length;
      await redis.setFault({ kind: 'hang' });
      const statuses: unknown[] = [];
      for (let turn = 0; turn < 8; turn++) {
        const begunMs = performance.now();
        const response = await ask(door, token);
        statuses.push([response.status, (await response.json()).code, response.headers.has('retry-after')]);
        expect(performance.now() - begunMs).toBeLessThan(1500);
      }
      await redis.setFault(null);
      expect(new Set(statuses.map((each) => JSON.stringify(each)))).toEqual(
        new Set([JSON.stringify([503, 'revocation_unavailable', true])]),
      );
      await expect.poll(() => door.lines.length - lines, { timeout: 5000 }).toBe(1);
    });
  });
});
