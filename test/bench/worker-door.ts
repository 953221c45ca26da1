import { startWorkerDoor } from '../support/worker-door.ts';
import { type Place, startWorkerPeer } from './place.ts';
import { productEnvironment } from './product.ts';
import type { Plan } from './rows.ts';
import { checkQuestion, serverRow } from './servers.ts';

/** The Worker door in workerd itself, against Workers that answer the request themselves. */
export async function workerGroup({ issuer, keySetUrl, load, facts }: Place): Promise<Plan> {
  const [ours, jose, hello, fields] = await Promise.all([
    startWorkerDoor(productEnvironment(issuer, keySetUrl)),
    startWorkerPeer('worker-hono-jose.mjs', facts),
    startWorkerPeer('worker-static.mjs', facts),
    startWorkerPeer('worker-static-fields.mjs', facts),
  ]);
  const row = 'our check in workerd';
  return {
    title: 'worker: one request, one answer without a body, in workerd; ours is asked as nginx asks',
    rows: [
      serverRow(row, ours, checkQuestion, load),
      serverRow('hono + jose', jose, checkQuestion, load),
      { ...serverRow('static Worker', hello, checkQuestion, load), accepts: async () => [] },
      { ...serverRow('static Worker, as many fields', fields, checkQuestion, load), accepts: async () => [] },
    ],
    aims: [
      { row, of: 'static Worker', kind: 'hot', atMost: null },
      { row, of: 'static Worker, as many fields', kind: 'hot', atMost: 1.1 },
      { row, of: 'hono + jose', kind: 'hot', atMost: 0.6 },
      { row, of: 'hono + jose', kind: 'cold', atMost: 0.85 },
    ],
    skipped: [],
    rounds: 11,
    operations: { hot: 2_000, cold: 500 },
  };
}
