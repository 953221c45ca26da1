import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const program = await redisProgram();
const DAY_SECONDS = 86_400;

describeWith([program], 'quotas by day and month, and plans, through real doors on one Redis', () => {
  let issuer: Issuer;
  let upstream: Upstream;
  let redis: RedisParts;
  let node: StartedDoor;
  let worker: StartedDoor;
  beforeAll(async () => {
    [issuer, upstream, redis] = await Promise.all([startIssuer(), startUpstream(), startRedis(program)]);
    const environment = {
      ...jwtEnvironment(issuer),
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_REDIS_URL: redis.url,
      TGEFD_REDIS_TOKEN: redis.token,
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      TGEFD_AUDIT_PSEUDONYM_KEY: 'one pseudonym key that all doors share',
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_AUDIT_LOG: 'false',
      TGEFD_RATE_LIMIT_PER_MINUTE: '600',
      TGEFD_RATE_LIMIT_PER_DAY: '4',
      TGEFD_HEAVY_RATE_LIMIT_PER_MONTH: '2',
      TGEFD_PLAN_CLAIM: 'plan',
      TGEFD_PLANS: JSON.stringify({ gold: { general: { per_day: 6 } } }),
      TGEFD_METRICS_ENABLED: 'true',
    };
    [node, worker] = await Promise.all([startNodeDoor(environment), startWorkerDoor(environment)]);
  });
  afterAll(() => Promise.all([node?.stop(), worker?.stop(), issuer?.stop(), upstream?.stop(), redis?.stop()]));

  let subjects = 0;
  const fresh = () => `subject-${process.pid}-${++subjects}`;
  const ask = (door: StartedDoor, token: string, path = '/v1/metrics', init: RequestInit = {}) =>
    fetch(`${door.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

  test('the quota of a day is one for all doors, a policy of its own, and ends at midnight', async () => {
    const token = await issuer.token({ subject: fresh() });
    const statuses: number[] = [];
    for (let turn = 0; turn < 4; turn++) statuses.push((await ask(turn % 2 === 0 ? node : worker, token)).status);
    expect(statuses).toEqual([200, 200, 200, 200]);
    for (const door of [node, worker]) {
      const refused = await ask(door, token);
      const untilMidnight = DAY_SECONDS - (Math.floor(Date.now() / 1000) % DAY_SECONDS);
      expect(refused.status).toBe(429);
      expect((await refused.json()).code).toBe('rate_limited');
      const seconds = Number(refused.headers.get('retry-after'));
      expect(Math.abs(seconds - untilMidnight)).toBeLessThanOrEqual(2);
      expect(refused.headers.get('ratelimit-policy')).toBe('"general";q=600;w=60, "general-day";q=4;w=86400');
      expect(refused.headers.get('ratelimit')).toBe(`"general-day";r=0;t=${seconds}`);
    }
  });

  test('a request that one quota refuses spends from none', async () => {
    const token = await issuer.token({ subject: fresh() });
    const post = () => ask(worker, token, '/v1/discover', { method: 'POST', body: '{}' });
    const refused: Response[] = [];
    for (let turn = 0; turn < 5; turn++) refused.push(await post());
    expect(refused.map(({ status }) => status)).toEqual([200, 200, 429, 429, 429]);
    expect(refused[2]?.headers.get('ratelimit')).toMatch(/^"heavy-month";r=0;t=\d+$/);
    const rest: number[] = [];
    for (let turn = 0; turn < 3; turn++) rest.push((await ask(node, token)).status);
    expect(rest).toEqual([200, 200, 429]);
  });

  test('a claim names the plan; another plan in mid-day counts what is used already', async () => {
    const subject = fresh();
    const usual = await issuer.token({ subject });
    const gold = await issuer.token({ subject, claims: { plan: 'gold' } });
    const statuses: number[] = [];
    for (let turn = 0; turn < 5; turn++) statuses.push((await ask(node, usual)).status);
    for (let turn = 0; turn < 3; turn++) statuses.push((await ask(node, gold)).status);
    statuses.push((await ask(node, usual)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 429, 200, 200, 429, 429]);
  });

  test('a plan that nobody configured is the budgets of everybody, and counted', async () => {
    const token = await issuer.token({ subject: fresh(), claims: { plan: 'platinum' } });
    const answer = await ask(node, token);
    expect(answer.headers.get('ratelimit-policy')).toContain('"general-day";q=4;w=86400');
    const metrics = await ask(node, await issuer.token({ subject: fresh() }), '/_authorizer/metrics');
    expect(await metrics.text()).toMatch(/^tgefd_unknown_plans_total 1$/m);
  });

  test('keys of quotas end soon after their period', async () => {
    await ask(node, await issuer.token({ subject: fresh() }));
    for (const key of await redis.client.keys('tgefd:v1:budget:*-day:*')) {
      const ttlMs = await redis.client.pttl(key);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(DAY_SECONDS * 1000);
    }
  });

  test('while Redis does not answer, each process counts for itself', async () => {
    const token = await issuer.token({ subject: fresh() });
    const open = await startNodeDoor({
      ...jwtEnvironment(issuer),
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_REDIS_URL: 'http://127.0.0.1:9',
      TGEFD_REDIS_TOKEN: 'x',
      TGEFD_REVOCATION_ON_ERROR: 'open',
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_AUDIT_LOG: 'false',
      TGEFD_RATE_LIMIT_PER_DAY: '2',
    });
    try {
      const statuses: number[] = [];
      for (let turn = 0; turn < 3; turn++) statuses.push((await ask(open, token)).status);
      expect(statuses).toEqual([200, 200, 429]);
    } finally {
      await open.stop();
    }
  });
});
