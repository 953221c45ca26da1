import { createLayout } from '../../archive/layout.ts';
import { type ArchiveRun, archiveTimes, createArchive } from '../../archive/run.ts';
import { createSigner, createVerifier, type ManifestJwk } from '../../archive/signature.ts';
import type { ArchiveLock, Source } from '../../audit/outbox.ts';
import type { Config } from '../../config/load.ts';
import type { Clock, Log, NewId } from '../../decision/ports.ts';
import type { ObjectStore } from '../../storage/store.ts';

/** Name of the outbox's chain of manifests. Deployments that share a bucket have prefixes of their own. */
const WRITER = 'main';

/** Where the archive takes records from, and where it puts them. */
export interface ArchiveRuntime {
  readonly clock: Clock;
  /** Monotonic; absent: the clock. */
  readonly stopwatch?: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly outbox: Source & ArchiveLock;
  readonly store: ObjectStore;
  /** The second bucket, for copies of the anchors; or null. */
  readonly copies: ObjectStore | null;
  /** Time after which a run starts no further batch. */
  readonly runMs: number;
}

/** The public and private keys of the configuration's manifest signers: the one that signs first. */
export function signingJwks({ documents }: Config): readonly ManifestJwk[] {
  return documents.auditSigningKeys.map(({ jwk, kid }) => ({ ...jwk, ...(kid === null ? {} : { kid }) }));
}

/**
 * The archive of a configuration, or null where it has no signing key (development only). A run says in the log what it did
 * when it did something, and rejects when outbox or store fail.
 */
export function composeArchive(config: Config, runtime: ArchiveRuntime): { run(): Promise<ArchiveRun> } | null {
  const jwks = signingJwks(config);
  const [current] = jwks;
  if (current === undefined) return null;
  const { outbox, store, copies, clock, stopwatch = clock, newId, log, runMs } = runtime;
  const archive = createArchive(
    { writer: WRITER, ...archiveTimes, runMs },
    {
      source: outbox,
      lease: outbox,
      store,
      copies,
      layout: createLayout(config.settings.auditPrefix),
      signer: createSigner(current),
      verifier: createVerifier(jwks),
      clock,
      stopwatch,
      newId,
      log,
    },
  );
  return {
    async run() {
      const run = await archive.run();
      const { outcome, batches, records, entriesLeft, lagMs } = run;
      const level = outcome === 'broken' ? 'error' : 'info';
      if (batches > 0 || outcome === 'broken' || outcome === 'behind') {
        log(level, 'audit_archived', { outcome, batches, records, entries_left: entriesLeft, lag_ms: lagMs });
      }
      return run;
    },
  };
}
