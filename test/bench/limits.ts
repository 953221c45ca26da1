import { startNodeDoor } from '../support/node-door.ts';
import { redisProgram, startRedis } from '../support/redis.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { type Place, startNodePeer, startWorkerPeer } from './place.ts';
import { productEnvironment } from './product.ts';
import type { Plan } from './rows.ts';
import { checkQuestion, serverRow } from './servers.ts';

/** With a rate limit and revocation in a real Redis; the processor time of Redis itself is not counted. */
export async function limitsGroup({ issuer, keySetUrl, load, facts }: Place): Promise<Plan | string> {
  const program = await redisProgram();
  if ('missing' in program) return `limits: ${program.missing}`;
  const redis = await startRedis(program);
  const environment = (mode: 'exact' | 'leased', more: Readonly<Record<string, string>> = {}) =>
    productEnvironment(issuer, keySetUrl, {
      TGEFD_REDIS_URL: redis.url,
      TGEFD_REDIS_TOKEN: redis.token,
      TGEFD_RATE_LIMIT_MODE: mode,
      TGEFD_RATE_LIMIT_PER_MINUTE: '1000000',
      // The machine may be busy: the bench is about what a trip costs, not about its deadline.
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      ...more,
    });
  const nodeOnly = { TGEFD_TRUSTED_PROXIES: '127.0.0.1' };
  const rest = { REDIS_URL: redis.url, REDIS_TOKEN: redis.token };
  // A password belongs to the REST face only.
  const overTcp = (mode: 'exact' | 'leased') => {
    const { TGEFD_REDIS_TOKEN: _, ...others } = environment(mode, nodeOnly);
    return { ...others, TGEFD_REDIS_URL: `redis://127.0.0.1:${redis.port}` };
  };
  const [workerExact, workerLeased, nodeExact, nodeLeased, tcpExact, tcpLeased, upstash, three, fastify] =
    await Promise.all([
      startWorkerDoor(environment('exact')),
      startWorkerDoor(environment('leased')),
      startNodeDoor(environment('exact', nodeOnly)),
      startNodeDoor(environment('leased', nodeOnly)),
      startNodeDoor(overTcp('exact')),
      startNodeDoor(overTcp('leased')),
      startWorkerPeer('worker-upstash.mjs', facts, rest),
      startWorkerPeer('worker-upstash.mjs', facts, { ...rest, AWAITS: 'three' }),
      startNodePeer('fastify.mjs', { ...facts, cache: 10_000, redisPort: redis.port }),
    ]);
  const upstashName = 'hono + jose + @upstash/ratelimit, workerd';
  const fastifyName = 'fastify + fast-jwt, cache + @fastify/rate-limit';
  const exactly = 'ours exact, workerd';
  const leased = 'ours leased, workerd';
  const onNode = 'ours leased, Node';
  const last = serverRow(fastifyName, fastify, checkQuestion, load);
  return {
    title: 'limits: a rate limit for each caller, ours with revocation, in one Redis',
    rows: [
      serverRow(exactly, workerExact, checkQuestion, load),
      serverRow(leased, workerLeased, checkQuestion, load),
      serverRow(upstashName, upstash, checkQuestion, load),
      serverRow('three awaits: GET, limit, XADD, workerd', three, checkQuestion, load),
      serverRow('ours exact, Node', nodeExact, checkQuestion, load),
      serverRow(onNode, nodeLeased, checkQuestion, load),
      serverRow('ours exact, Node, TCP', tcpExact, checkQuestion, load),
      serverRow('ours leased, Node, TCP', tcpLeased, checkQuestion, load),
      {
        ...last,
        async stop() {
          await last.stop();
          await redis.stop();
        },
      },
    ],
    aims: [
      { row: exactly, of: upstashName, kind: 'hot', atMost: 0.8 },
      { row: exactly, of: upstashName, kind: 'hot', atMost: 0.8, latency: true },
      { row: leased, of: upstashName, kind: 'hot', atMost: 0.28 },
      { row: leased, of: upstashName, kind: 'hot', atMost: 0.28, latency: true },
      { row: exactly, of: 'three awaits: GET, limit, XADD, workerd', kind: 'hot', atMost: null },
      { row: onNode, of: fastifyName, kind: 'hot', atMost: 0.75 },
      { row: 'ours leased, Node, TCP', of: fastifyName, kind: 'hot', atMost: 0.75 },
      { row: 'ours exact, Node, TCP', of: fastifyName, kind: 'hot', atMost: 1.1 },
      { row: 'ours exact, Node', of: fastifyName, kind: 'hot', atMost: null },
    ],
    skipped: [],
    rounds: 3,
    operations: { hot: 4_000, cold: 0 },
    // Leases follow demand: those that were left alone while others were measured are taken anew.
    leadIn: 2_000,
  };
}
