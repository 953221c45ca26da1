import { startNodeDoor } from '../support/node-door.ts';
import { type Place, startNodePeer } from './place.ts';
import { productEnvironment } from './product.ts';
import type { Plan } from './rows.ts';
import { checkQuestion, serverRow } from './servers.ts';

/** The Node door, asked as nginx asks, against frameworks that answer the request themselves. */
export async function nodeGroup({ issuer, keySetUrl, load, facts }: Place): Promise<Plan> {
  const environment = productEnvironment(issuer, keySetUrl, { TGEFD_TRUSTED_PROXIES: '127.0.0.1' });
  const [ours, cached, uncached, jose, hello] = await Promise.all([
    startNodeDoor(environment),
    startNodePeer('fastify.mjs', { ...facts, cache: 10_000 }),
    startNodePeer('fastify.mjs', { ...facts, cache: false }),
    startNodePeer('hono-jose-node.mjs', facts),
    startNodePeer('hono-static.mjs', facts),
  ]);
  const row = 'our check on Node';
  return {
    title: 'node: one request, one answer without a body; ours is asked as nginx asks',
    rows: [
      serverRow(row, ours, checkQuestion, load),
      serverRow('fastify + fast-jwt, cache', cached, checkQuestion, load),
      serverRow('fastify + fast-jwt', uncached, checkQuestion, load),
      serverRow('hono + jose', jose, checkQuestion, load),
      { ...serverRow('static hono', hello, checkQuestion, load), accepts: async () => [] },
    ],
    aims: [
      { row, of: 'fastify + fast-jwt, cache', kind: 'hot', atMost: 0.9 },
      { row, of: 'static hono', kind: 'hot', atMost: null },
      { row, of: 'hono + jose', kind: 'hot', atMost: null },
      { row, of: 'hono + jose', kind: 'cold', atMost: 1.05 },
      { row, of: 'fastify + fast-jwt', kind: 'cold', atMost: null },
    ],
    skipped: [],
    rounds: 11,
    operations: { hot: 2_500, cold: 500 },
  };
}
