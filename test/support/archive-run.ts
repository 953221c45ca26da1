import type { ArchiveRun } from '../../lib/archive/run.ts';
import type { Source } from '../../lib/audit/outbox.ts';
import { createUlids } from '../../lib/codec/ulid.ts';
import { composeArchive } from '../../lib/compose/archive/archive.ts';
import { compose } from '../../lib/compose/authorizer.ts';
import { loadConfig } from '../../lib/config/load.ts';
import type { ObjectStore } from '../../lib/storage/store.ts';

const WAIT_MS = 600_000;

/** The archive waits for a batch to grow old; a test does not. */
function later() {
  return Date.now() + WAIT_MS;
}

/** The same entries as the clock of their source shows them after the wait. */
export function aged<T extends Source>(source: T): T {
  return { ...source, now: async () => (await source.now()) + WAIT_MS };
}

/**
 * One run of the archive, as a schedule makes it: configuration and keys are read anew from `env`, what is in the outbox now
 * goes into one batch in `store`, and what comes meanwhile waits for the next.
 */
export async function runArchive(
  env: Readonly<Record<string, string>>,
  store: ObjectStore,
): Promise<ArchiveRun['outcome']> {
  const place = { platform: 'lambda', role: 'archive', upstreamBinding: false, bucketBinding: false } as const;
  const loaded = loadConfig(env, place);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const runtime = {
    clock: later,
    newId: createUlids(later),
    log: () => undefined,
    fetch: (input: string, init?: RequestInit) => fetch(input, init),
    random: () => 0.5,
    sleep: async () => undefined,
    sharePromises: true,
    sharedKeySets: null,
    readFile: null,
    upstream: null,
    auditLine: null,
    spill: null,
    redisExchange: null,
  };
  const { outbox } = compose(loaded.config, runtime);
  const archive =
    outbox && composeArchive(loaded.config, { ...runtime, outbox: aged(outbox), store, copies: null, runMs: 0 });
  if (!archive) throw new Error('no outbox, or no key to sign with');
  return (await archive.run()).outcome;
}
