import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Composed, compose } from '../../lib/compose/authorizer.ts';
import type { Runtime } from '../../lib/compose/runtime.ts';
import { loadConfig } from '../../lib/config/load.ts';
import type { AccessRequest } from '../../lib/decision/request.ts';
import { fetchExchange } from '../../lib/redis/exchange.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';

const program = await redisProgram();
const HOUR_MS = 3_600_000;
const ISSUER = 'http://127.0.0.1:9/issuer';
const KEYS_URL = 'http://127.0.0.1:9/keys';
const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Somebody sets the wall clock of a machine while an authorizer serves; the monotonic clock goes on. */
describeWith([program], 'the wall clock is set under a running authorizer', () => {
  let redis: RedisParts;
  let keys: CryptoKeyPair;
  beforeAll(async () => {
    [redis, keys] = await Promise.all([startRedis(program), generateKeyPair('ES256', { extractable: true })]);
  });
  afterAll(() => redis?.stop());

  /** A composed authorizer over a real Redis, with a wall clock that can be set. */
  async function authorizer(name: string) {
    const state = { aheadMs: 0, keysDown: false, redisDown: false, trips: 0, keyFetches: 0, events: [] as string[] };
    const clock = () => Date.now() + state.aheadMs;
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
    const runtime: Runtime = {
      clock,
      stopwatch: () => performance.now(),
      newId: () => crypto.randomUUID(),
      log: (_level, event) => state.events.push(event),
      fetch: async (input) => {
        state.keyFetches += 1;
        return input === KEYS_URL && !state.keysDown
          ? Response.json({ keys: [jwk] })
          : new Response(null, { status: 503 });
      },
      random: () => 0.5,
      sleep: async (milliseconds) => pass(milliseconds),
      sharePromises: true,
      sharedKeySets: null,
      readFile: null,
      upstream: async () => new Response(),
      auditLine: null,
      spill: null,
      redisExchange: (token) => {
        const exchange = fetchExchange({ url: redis.url, token }, fetch);
        return (...args) => {
          state.trips += 1;
          return state.redisDown ? Promise.reject(new Error('down')) : exchange(...args);
        };
      },
    };
    const loaded = loadConfig(
      {
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'jwt',
        TGEFD_JWT_ISSUER: ISSUER,
        TGEFD_JWT_AUDIENCE: 'api',
        TGEFD_JWT_ALLOWED_ALGS: 'ES256',
        TGEFD_JWKS_URL: KEYS_URL,
        TGEFD_JWKS_MAX_ATTEMPTS: '1',
        TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
        TGEFD_REDIS_URL: redis.url,
        TGEFD_REDIS_TOKEN: redis.token,
        TGEFD_REDIS_TIMEOUT_MS: '1000',
        TGEFD_RATE_LIMIT_PER_MINUTE: '6000',
        TGEFD_REVOCATION_MAX_DELAY_SEC: '1',
        TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE: '60',
        TGEFD_AUDIT_MODE: 'strict',
        TGEFD_AUDIT_BUCKET: `wall-clock-${name}`,
        TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'a',
        TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'b',
        TGEFD_AUDIT_PSEUDONYM_KEY: `${name} ${'k'.repeat(40)}`,
      },
      place,
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const composed = compose(loaded.config, runtime);
    return { state, composed, clock, subject: name };
  }

  type One = Awaited<ReturnType<typeof authorizer>>;

  function tokenOf({ subject, clock }: One, id = 'one') {
    const seconds = Math.floor(clock() / 1000);
    return new SignJWT({ sub: subject, jti: `${subject}-${id}`, scope: '*' })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(ISSUER)
      .setAudience('api')
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 600)
      .sign(keys.privateKey);
  }

  async function decide(composed: Composed, token: string, peerAddress = '198.51.100.1'): Promise<string> {
    const request: AccessRequest = {
      door: 'gateway',
      method: 'GET',
      target: '/v1/metrics',
      headers: new Headers({ host: 'api.example', authorization: `Bearer ${token}` }),
      hop: { peerAddress, secure: true, certificate: null },
    };
    const deferred: Promise<unknown>[] = [];
    const { decision, recorded, leave } = await composed.enforce(request, { defer: (one) => deferred.push(one) });
    const kept = await recorded;
    leave?.();
    await Promise.all(deferred);
    return decision.denial?.reason ?? (kept === 'unavailable' ? 'audit_unavailable' : 'allowed');
  }

  async function many(one: One, token: string, times: number) {
    const outcomes = new Map<string, number>();
    for (let i = 0; i < times; i++) {
      const outcome = await decide(one.composed, token);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    return Object.fromEntries(outcomes);
  }

  describe.each([
    ['an hour back', -HOUR_MS],
    ['an hour ahead', HOUR_MS],
  ])('%s', (name, jumpMs) => {
    test('leases, key sets and the snapshot of revocations go on, and a revocation holds within its bound', async () => {
      const one = await authorizer(`on ${name}`);
      expect(await many(one, await tokenOf(one), 40)).toEqual({ allowed: 40 });
      const fetched = one.state.keyFetches;
      one.state.aheadMs = jumpMs;
      const token = await tokenOf(one, 'two');
      one.state.trips = 0;
      expect(await many(one, token, 40)).toEqual({ allowed: 40 });
      // Forty records, and next to nothing for leases and revocations.
      expect(one.state.trips).toBeLessThan(50);
      expect(one.state.keyFetches).toBe(fetched);
      const nowSeconds = Math.floor(Date.now() / 1000);
      await one.composed.revocations.add({
        kind: 'jti',
        id: `${one.subject}-two`,
        beforeSeconds: null,
        expiresAtSeconds: nowSeconds + 7200,
        reason: null,
        createdAtSeconds: nowSeconds,
        by: 'test',
      });
      await pass(1100);
      expect(await decide(one.composed, token)).toBe('credential_revoked');
    });

    test('a budget refills at its pace', async () => {
      const one = await authorizer(`budget ${name}`);
      one.state.redisDown = true; // This process counts for itself.
      for (let i = 0; i < 60; i++) await decide(one.composed, 'a.b.c', '203.0.113.9');
      expect(await decide(one.composed, 'a.b.c', '203.0.113.9')).toBe('authentication_throttled');
      one.state.aheadMs = jumpMs;
      expect(await decide(one.composed, 'a.b.c', '203.0.113.9')).toBe('authentication_throttled');
      await pass(1200);
      expect(await decide(one.composed, 'a.b.c', '203.0.113.9')).toBe('token_malformed');
    });

    test('the breaker closes and the recorder tries again after their pauses', async () => {
      const one = await authorizer(`breaker ${name}`);
      expect(await many(one, await tokenOf(one), 10)).toEqual({ allowed: 10 });
      one.state.redisDown = true;
      expect(await many(one, await tokenOf(one), 10)).not.toHaveProperty('allowed');
      one.state.redisDown = false;
      one.state.aheadMs = jumpMs;
      await pass(1600);
      expect(await many(one, await tokenOf(one), 10)).toEqual({ allowed: 10 });
      expect(one.state.events).toContain('audit_outbox_recovered');
    });

    test('a dead issuer is asked again after its rest', async () => {
      const one = await authorizer(`issuer ${name}`);
      one.state.keysDown = true;
      expect(await decide(one.composed, await tokenOf(one))).toBe('keys_unavailable');
      one.state.aheadMs = jumpMs;
      const asked = one.state.keyFetches;
      expect(await decide(one.composed, await tokenOf(one))).toBe('keys_unavailable');
      expect(one.state.keyFetches).toBe(asked);
      one.state.keysDown = false;
      await pass(2100);
      expect(await decide(one.composed, await tokenOf(one))).toBe('allowed');
    });

    test('the archive takes what has rested, by the clock of the store', async () => {
      const one = await authorizer(`archive ${name}`);
      const { outbox } = one.composed;
      one.state.aheadMs = jumpMs;
      expect(await decide(one.composed, await tokenOf(one))).toBe('allowed');
      const nowMs = await outbox?.now();
      expect(Math.abs((nowMs ?? 0) - Date.now())).toBeLessThan(5_000);
    });
  });
});
