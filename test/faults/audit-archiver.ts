/** A process that archives without end, to be killed: `node audit-archiver.ts REDIS_URL REDIS_TOKEN STREAM FOLDER`. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import { createArchive } from '../../lib/archive/run.ts';
import { createSigner, createVerifier } from '../../lib/archive/signature.ts';
import { createRedisOutbox } from '../../lib/audit/outbox-redis.ts';
import { createFolderStore } from '../../lib/platform/node/files/folder-store.ts';
import { layout, signingJwk } from '../unit/archive/fixtures.ts';

const [url = '', token = '', stream = '', folder = ''] = process.argv.slice(2);

const outbox = createRedisOutbox(
  { stream, maximumEntries: 1_000_000, timeoutMs: 5000, shareTrips: false },
  {
    async request({ body }) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    },
  },
);
const archive = createArchive(
  { writer: 'main', settleMs: 100, spillSettleMs: 1000, maximumAgeMs: 150, leaseMs: 100, runMs: 60_000 },
  {
    source: outbox,
    lease: outbox,
    store: createFolderStore(folder),
    copies: null,
    layout,
    signer: createSigner(signingJwk),
    verifier: createVerifier([signingJwk]),
    clock: Date.now,
    newId: randomUUID,
    log: (level, event, facts) => console.log(JSON.stringify({ level, event, ...facts })),
  },
);
console.log('ready');
for (;;) {
  const { outcome, batches } = await archive.run();
  if (batches > 0 || outcome === 'broken') console.log(outcome, batches);
  await pass(20);
}
