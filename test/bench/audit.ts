/**
 * Cost of the audit trail: `node test/bench/audit.ts [records]` (default 1000000). Prints one line a figure. Processor time is
 * this process's own, all threads; run it alone on a machine, and compare only figures of one run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBatchWriter } from '../../lib/archive/batch-writer.ts';
import { createSigner, createVerifier } from '../../lib/archive/signature.ts';
import { type Entry, entryBytes, type Source, storedAtMs } from '../../lib/audit/outbox.ts';
import { createPseudonyms } from '../../lib/audit/pseudonym.ts';
import { auditRecord } from '../../lib/audit/record.ts';
import { createRecorder } from '../../lib/audit/recorder.ts';
import { createUlids } from '../../lib/codec/ulid.ts';
import { createFolderStore } from '../../lib/platform/node/files/folder-store.ts';
import { verifyArchive } from '../../lib/verify/verify.ts';
import { decision, layout, signingJwk, T0 } from '../unit/archive/fixtures.ts';

const records = Number(process.argv[2] ?? 1_000_000);
const HOT_ROUNDS = 300_000;
const newId = createUlids(Date.now);

function tell(what: string, figure: string) {
  return process.stdout.write(`${what.padEnd(58)} ${figure}\n`);
}
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Wall and processor time of some work, and the highest resident size met on the way. */
async function measured<T>(
  work: () => Promise<T> | T,
): Promise<{ result: T; wallMs: number; cpu: number; peakMiB: number }> {
  let peak = process.memoryUsage.rss();
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 50);
  const [startedMs, startedCpu] = [performance.now(), cpuMs()];
  const result = await work();
  const [wallMs, cpu] = [performance.now() - startedMs, cpuMs() - startedCpu];
  clearInterval(watch);
  return { result, wallMs, cpu, peakMiB: peak / 2 ** 20 };
}

/** Best of five rounds, in microseconds a call. */
async function perCall(call: () => unknown): Promise<string> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const { wallMs } = await measured(() => {
      for (let n = 0; n < HOT_ROUNDS; n++) call();
    });
    best = Math.min(best, (wallMs * 1000) / HOT_ROUNDS);
  }
  return `${best.toFixed(2)} µs`;
}

const identities = await Promise.all(
  Array.from({ length: 5000 }, (_, n) => createPseudonyms({ key: 'k'.repeat(32) }).of('identity', `caller-${n}`)),
);
function facts(n: number) {
  return {
    identity: identities[n % identities.length] ?? null,
    clientAddress: identities[(n * 7) % identities.length] ?? null,
    status: 200,
    code: null,
    policy: null,
    build: 'bench',
    shadow: null,
  };
}
const pseudonyms = createPseudonyms({ key: 'k'.repeat(32) });
await pseudonyms.of('identity', 'alice');
const recorder = createRecorder(
  { mode: 'strict', alarmDepth: Number.MAX_SAFE_INTEGER, outboxRestMs: 1000 },
  {
    outbox: { append: () => ({ outcome: 'stored', depth: 1 }) },
    spill: null,
    line: () => {},
    stopwatch: Date.now,
    log: () => {},
  },
  { stored: 0, spilled: 0, lost: 0, refused: 0 },
);
const context = { defer: () => {} };
const allowed = decision();
tell('pseudonym of a known value', await perCall(() => pseudonyms.of('identity', 'alice')));
tell('record built', await perCall(() => auditRecord(allowed, facts(1))));
tell('record built and written as JSON', await perCall(() => JSON.stringify(auditRecord(allowed, facts(1)))));
tell(
  'record built, written, handed to line and outbox',
  await perCall(() => recorder.record(auditRecord(allowed, facts(1)), context)),
);
tell('size of a record', `${JSON.stringify(auditRecord(decision({ id: newId() }), facts(1))).length} bytes`);

/** An endless backlog, made as it is read, so that only the archive's own memory shows. */
function generated(total: number): Source {
  let removed = 0;
  const entry = (n: number): Entry => {
    const { boundary } = allowed;
    const made = decision({ id: newId(), atMs: T0 + n, boundary: { ...boundary, requestId: newId() } });
    return { id: `${T0 + n}-0`, record: JSON.stringify(auditRecord(made, facts(n))) };
  };
  return {
    async read(_storedBeforeMs, maximumBytes) {
      const entries: Entry[] = [];
      for (let [n, bytes] = [removed, 0]; n < total; n++) {
        const next = entry(n);
        bytes += entryBytes(next);
        if (bytes > maximumBytes) break;
        entries.push(next);
      }
      return entries;
    },
    backlog: async () => ({ entries: total - removed, oldestMs: removed === total ? null : T0 + removed }),
    now: async () => T0 + total + 600_000,
    async remove(ids) {
      for (const id of ids) removed = Math.max(removed, storedAtMs(id) - T0 + 1);
    },
  };
}

const folder = await mkdtemp(join(tmpdir(), 'tgefd-bench-audit-'));
try {
  const store = createFolderStore(folder);
  const verifier = createVerifier([signingJwk]);
  const making = await measured(async () => {
    const source = generated(records);
    for (let left = records; left > 0; ) {
      const entries = await source.read(0, 8 * 1024 * 1024);
      left -= entries.length;
      await source.remove(entries.map(({ id }) => id));
    }
  });
  const drain = createBatchWriter(
    { writer: 'main', settleMs: 0, maximumAgeMs: 0 },
    {
      source: generated(records),
      store,
      layout,
      signer: createSigner(signingJwk),
      verifier,
      twins: async () => new Set<string>(),
      clock: () => T0 + records + 1,
      log: () => {},
    },
  );
  const archived = await measured(async () => {
    let batches = 0;
    for (let step = await drain.step(0); step.outcome === 'archived'; step = await drain.step(0)) batches++;
    return batches;
  });
  const archivingMs = archived.cpu - making.cpu; // Making the records is the bench's own work.
  tell(`archived: ${records} records`, `${archived.result} batches, peak ${archived.peakMiB.toFixed(0)} MiB resident`);
  tell('archived per second (records made meanwhile)', `${((records / archived.wallMs) * 1000).toFixed(0)}`);
  tell('archived per CPU-second (records made taken off)', `${((records / archivingMs) * 1000).toFixed(0)}`);

  const verified = await measured(() =>
    verifyArchive({ fromMs: null, toMs: null, expiredBeforeMs: 0 }, { store, layout, verifier, copies: null }),
  );
  const { integrity, completeness, order } = verified.result;
  tell(
    `verified: ${verified.result.records} records`,
    `${integrity} ${completeness} ${order}, peak ${verified.peakMiB.toFixed(0)} MiB resident`,
  );
  tell('verifying took', `${(verified.wallMs / 1000).toFixed(1)} s, ${(verified.cpu / 1000).toFixed(1)} CPU-seconds`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
