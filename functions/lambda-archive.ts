import type { ArchiveRun } from '../lib/archive/run.ts';
import { createAccessRecords } from '../lib/audit/secret-access-records.ts';
import { createUlids } from '../lib/codec/ulid.ts';
import { runScheduled } from '../lib/compose/scheduled-archive.ts';
import { egressTargets } from '../lib/config/egress.ts';
import { loadConfig } from '../lib/config/load.ts';
import { type Problem, problemLine } from '../lib/config/problem.ts';
import { resolveSources } from '../lib/config/sources.ts';
import type { Log } from '../lib/decision/ports.ts';
import { createEgressWatch } from '../lib/egress/watch.ts';
import { createLambdaStores } from '../lib/platform/lambda/secret-stores.ts';
import { createNodeEgress } from '../lib/platform/node/egress.ts';
import { createNodeFetch } from '../lib/platform/node/fetch.ts';

/** Below the shortest time-out that makes sense for this function, one minute. */
const RUN_MS = 45_000;

function clock() {
  return Date.now();
}
const newId = createUlids(clock);
const log: Log = (level, event, facts) => {
  const line = JSON.stringify({ type: 'log', ts: new Date().toISOString(), level, event, ...facts });
  process.stdout.write(`${line}\n`);
};
const watch = createEgressWatch(log);
const stores = createLambdaStores({ clock, watch });
function line(text: string) {
  return void process.stdout.write(`${text}\n`);
}
const recordAccesses = createAccessRecords({ component: 'archive', clock, newId, log, line });

function refuse(problems: readonly Problem[]): never {
  for (const problem of problems) log('error', 'configuration_invalid', { problem: problemLine(problem) });
  throw new Error('configuration_invalid');
}

/**
 * One run of the archive, for a schedule. Configuration and secrets are read anew each time: runs are a minute or more
 * apart, and a rotated key counts with the next. Throws, so that the invocation counts as failed, when it could not do its
 * work.
 */
export async function handler(): Promise<ArchiveRun> {
  const resolved = await resolveSources(process.env, { file: null, stores });
  if (resolved.problems.length > 0) {
    await recordAccesses(resolved, null);
    return refuse(resolved.problems);
  }
  const place = { platform: 'lambda', role: 'archive', upstreamBinding: false, bucketBinding: false } as const;
  const loaded = loadConfig(resolved.env, place);
  if (!loaded.ok) return refuse(loaded.problems);
  const bound = { store: null, copies: null };
  const nodeEgress = createNodeEgress(
    egressTargets(loaded.config.settings, process.env.AWS_REGION ?? null),
    watch.note,
  );
  const fetch = createNodeFetch(nodeEgress);
  return runScheduled(loaded.config, {
    clock,
    newId,
    log,
    bound,
    fetch,
    watch,
    nodeEgress,
    sharePromises: true,
    recordAccesses: (keeper) => recordAccesses(resolved, keeper),
    runMs: RUN_MS,
  });
}
