import { Agent, request } from 'node:http';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { seededRandom } from '../support/random.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const program = await redisProgram();
/** One gateway is killed in each round; `GATEWAY_KILL_ROUNDS=300` runs 300 rounds. */
const ROUNDS = Number(process.env.GATEWAY_KILL_ROUNDS ?? 5);
/** Gateways that run, and die, beside each other. */
const ABREAST = 2;
const CALLERS = 12;
const STREAM = 'tgefd:v1:audit';

describeWith([program], 'gateways killed at random while they answer', () => {
  let redis: RedisParts;
  let upstream: Upstream;
  beforeAll(async () => {
    [redis, upstream] = await Promise.all([startRedis(program), startUpstream()]);
  });
  afterAll(() => Promise.all([redis?.stop(), upstream?.stop()]));

  /** Calls until the gateway is gone; gives the request ids of every answer that came whole. */
  const callUntilGone = async (port: number, round: number, killed: () => boolean) => {
    const answered: string[] = [];
    const agent = new Agent({ keepAlive: true });
    let calls = 0;
    const call = () =>
      new Promise<void>((resolve, reject) => {
        const path = calls++ % 3 === 0 ? '/v1/unknown' : '/v1/metrics';
        const headers = { 'x-request-id': `round-${round}-${port}-${calls}` };
        const outgoing = request({ port, host: '127.0.0.1', path, agent, headers }, (incoming) => {
          const id = incoming.headers['x-request-id'];
          incoming.on('error', reject).resume();
          incoming.once('end', () => {
            if (!incoming.complete) return reject(new Error('cut off'));
            expect([200, 404]).toContain(incoming.statusCode);
            answered.push(String(id));
            resolve();
          });
        });
        outgoing.on('error', reject).end();
      });
    const caller = async () => {
      for (;;) {
        try {
          await call();
        } catch (error) {
          if (killed()) return;
          throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    agent.destroy();
    return answered;
  };

  test(
    'every decision whose answer left has its record once, and no record stands twice',
    async () => {
      const next = seededRandom(20261127);
      const answered: string[] = [];
      let kills = 0;
      const round = async (number: number) => {
        const door = await startNodeDoor({
          TGEFD_ENV: 'development',
          TGEFD_AUTH_MODE: 'none',
          TGEFD_UPSTREAM_URL: upstream.url,
          TGEFD_TRUSTED_PROXIES: '127.0.0.0/8',
          TGEFD_REDIS_URL: redis.url,
          TGEFD_REDIS_TOKEN: redis.token,
          TGEFD_REDIS_TIMEOUT_MS: '5000',
          TGEFD_REVOCATION_ON_ERROR: 'open',
          TGEFD_AUDIT_MODE: 'strict',
          TGEFD_AUDIT_TIMEOUT_MS: '10000',
          TGEFD_AUDIT_STREAM_MAX: '1000000',
          TGEFD_AUDIT_LOG: 'false',
        });
        let isKilled = false;
        const calls = callUntilGone(door.port, number, () => isKilled);
        // Also before the first answer, and in the middle of the first trips.
        await pass(next() * 400);
        isKilled = true;
        await door.kill();
        kills += 1;
        answered.push(...(await calls));
      };
      for (let begun = 0; begun < ROUNDS; begun += ABREAST)
        await Promise.all(
          Array.from({ length: Math.min(ABREAST, ROUNDS - begun) }, (_, place) => round(begun + place)),
        );

      const entries = await redis.client.xrange(STREAM, '-', '+');
      const records = entries.map(([, fields]) => JSON.parse(fields[1] ?? '{}'));
      const requestIds = records.map((record) => record.request_id as string);
      const counts = Map.groupBy(requestIds, (id) => id);
      const lost = answered.filter((id) => !counts.has(id));
      const twice = [...counts].filter(([, all]) => all.length > 1).map(([id]) => id);
      const unanswered = counts.size - answered.length;
      console.log(
        `${kills} kills, ${answered.length} answers, ${records.length} records, ${unanswered} of them unanswered`,
      );
      expect([lost, twice]).toEqual([[], []]);
      expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
      expect(answered.length).toBeGreaterThan(0);
      expect(unanswered).toBeLessThanOrEqual(kills * CALLERS);
    },
    60_000 + ROUNDS * 10_000,
  );
});
