import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createVerifier } from '../../lib/archive/signature.ts';
import { createSpill } from '../../lib/archive/spill/spill.ts';
import { createRedisOutbox } from '../../lib/audit/outbox-redis.ts';
import { createFolderStore } from '../../lib/platform/node/files/folder-store.ts';
import { verifyArchive } from '../../lib/verify/verify.ts';
import { type Child, startChild } from '../support/child.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { decisionsIn, layout, recordAt, signingJwk } from '../unit/archive/fixtures.ts';

const program = await redisProgram();
/** Two archivers are killed in each round; `npm run soak:kills` runs 500 rounds. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10);
const STREAM = 'test:audit:sigkill';

/** The same wild course every time (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describeWith([program], 'archives killed at random while decisions are made', () => {
  let redis: RedisParts;
  let folder: string;
  const archivers = new Set<Child>();
  beforeAll(async () => {
    redis = await startRedis(program);
    folder = await mkdtemp(join(tmpdir(), 'tgefd-sigkill-'));
  });
  afterAll(async () => {
    for (const archiver of archivers) await archiver.kill();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const startArchiver = async () => {
    const archiver = await startChild({
      command: process.execPath,
      args: [join(import.meta.dirname, 'audit-archiver.ts'), redis.url, redis.token, STREAM, folder],
      ready: (lines) => lines.includes('ready'),
      readyTimeoutMs: 60_000,
    });
    archivers.add(archiver);
    return archiver;
  };

  test(
    'every decision is found exactly once afterwards, and the archive verifies',
    async () => {
      const next = random(20261124);
      const store = createFolderStore(folder);
      const spill = createSpill(store, layout, 5000);
      const outbox = createRedisOutbox(
        { stream: STREAM, maximumEntries: 1_000_000, timeoutMs: 5000, shareTrips: true },
        {
          async request({ body }) {
            const headers = { authorization: `Bearer ${redis.token}`, 'content-type': 'application/json' };
            return (await fetch(redis.url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
          },
        },
      );
      let made = 0;
      let deciding = true;
      const decide = async () => {
        while (deciding) {
          for (let burst = Math.floor(next() * 40); burst > 0; burst--) {
            const record = recordAt(`d-${++made}`, Date.now());
            // Some are stored and spilled too, as after a lost answer.
            if (next() < 0.02) await spill.put(record);
            else expect(await outbox.append(JSON.stringify(record))).toMatchObject({ outcome: 'stored' });
            if (next() < 0.01) {
              await spill.put(recordAt(`d-${++made}`, Date.now()));
            }
          }
          await pass(10 + next() * 30);
        }
      };
      const decisions = decide();
      for (let round = 0; round < ROUNDS; round++) {
        const pair = await Promise.all([startArchiver(), startArchiver()]);
        for (const archiver of pair) {
          await pass(100 + next() * 1200);
          await archiver.kill();
          archivers.delete(archiver);
          expect(archiver.lines.filter((line) => line.includes('broken'))).toEqual([]);
        }
      }
      deciding = false;
      await decisions;
      const last = await startArchiver();
      const deadline = Date.now() + 60_000;
      for (;;) {
        const [backlog, spilled] = [await outbox.backlog(), await store.list(layout.spill, null)];
        if (backlog.entries === 0 && spilled.objects.length === 0) break;
        expect(Date.now(), 'the archive did not drain').toBeLessThan(deadline);
        await pass(50);
      }
      await pass(300); // The last batch is removed from the outbox after its manifest is there.
      await last.kill();
      archivers.delete(last);

      expect(made).toBeGreaterThan(1000);
      const found = await decisionsIn(store);
      expect(found.length).toBe(made);
      expect(new Set(found)).toEqual(new Set(Array.from({ length: made }, (_, place) => `d-${place + 1}`)));
      const verifier = createVerifier([signingJwk]);
      const report = await verifyArchive(
        { fromMs: null, toMs: null, expiredBeforeMs: 0 },
        { store, layout, verifier, copies: null },
      );
      expect(report).toMatchObject({ integrity: 'intact', completeness: 'intact', order: 'intact', records: made });
      expect(report.batches).toBeGreaterThan(ROUNDS / 2);
    },
    240_000 + ROUNDS * 5_000,
  );
});
