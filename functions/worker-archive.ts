import type { ExecutionContext, ScheduledController } from '@cloudflare/workers-types';
import { createAccessRecords } from '../lib/audit/secret-access-records.ts';
import { createUlids } from '../lib/codec/ulid.ts';
import { runScheduled } from '../lib/compose/scheduled-archive.ts';
import { loadConfig } from '../lib/config/load.ts';
import { problemLine } from '../lib/config/problem.ts';
import type { Log } from '../lib/decision/ports.ts';
import { createEgressWatch } from '../lib/egress/watch.ts';
import { secretStores } from '../lib/platform/workers/secret-stores.ts';
import { createR2Store, type R2Binding } from '../lib/storage/r2.ts';

/** Text variables named as in docs/configuration.md, and R2 buckets by binding. */
interface Env {
  readonly [variable: string]: unknown;
  readonly AUDIT_BUCKET?: R2Binding;
  readonly AUDIT_ANCHOR_BUCKET?: R2Binding;
}

/** A cron invocation may take longer than this; what is left waits for the next. */
const RUN_MS = 20_000;

function clock() {
  return Date.now();
}
const newId = createUlids(clock);
const log: Log = (level, event, facts) => console[level](JSON.stringify({ type: 'log', level, event, ...facts }));

const recordAccesses = createAccessRecords({ component: 'archive', clock, newId, log, line: null });

async function archive(env: Env): Promise<void> {
  const { AUDIT_BUCKET: bucket, AUDIT_ANCHOR_BUCKET: anchors } = env;
  const place = {
    platform: 'worker',
    role: 'archive',
    upstreamBinding: false,
    bucketBinding: bucket !== undefined,
  } as const;
  const found = (await secretStores(env, clock)?.resolve()) ?? { env, problems: [] };
  const loaded = loadConfig(found.env, place);
  if (!loaded.ok || found.problems.length > 0) {
    for (const problem of [...found.problems, ...(loaded.ok ? [] : loaded.problems)])
      log('error', 'configuration_invalid', { problem: problemLine(problem) });
    throw new Error('configuration_invalid');
  }
  const bound = { store: bucket ? createR2Store(bucket) : null, copies: anchors ? createR2Store(anchors) : null };
  await runScheduled(loaded.config, {
    clock,
    newId,
    log,
    bound,
    fetch: (input, init) => fetch(input, init),
    watch: createEgressWatch(log),
    nodeEgress: null,
    sharePromises: false,
    recordAccesses: (keeper) => ('accesses' in found ? recordAccesses(found, keeper) : Promise.resolve()),
    runMs: RUN_MS,
  });
}

export default {
  scheduled: (_controller: ScheduledController, env: Env, _context: ExecutionContext) => archive(env),
};
