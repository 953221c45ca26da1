import type { ArchiveLock, Source } from '../../audit/outbox.ts';
import type { Config } from '../../config/load.ts';
import type { Clock, Log, NewId } from '../../decision/ports.ts';
import type { CloudCredentials } from '../../platform/cloud/credentials.ts';
import type { NodeEgress } from '../../platform/node/egress.ts';

const RUN_MS = 60_000;

export interface NodeArchive {
  /** Starts no further run, and waits for the one under way. */
  stop(): Promise<void>;
}

/**
 * Drains the outbox every `TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC` in this process, or does nothing where no bucket or signing key
 * is configured. A failed run is logged once and repeated at the next interval. The S3 SDK is loaded with the first run,
 * not with the process.
 */
export function startNodeArchive(
  config: Config,
  parts: {
    readonly outbox: (Source & ArchiveLock) | null;
    readonly egress: NodeEgress;
    readonly cloud: CloudCredentials | null;
    readonly clock: Clock;
    readonly stopwatch: Clock;
    readonly newId: NewId;
    readonly log: Log;
  },
): NodeArchive | null {
  const { settings } = config;
  const { outbox, egress, cloud, clock, stopwatch, newId, log } = parts;
  const intervalMs = settings.auditArchiveIntervalSeconds * 1000;
  if (outbox === null || settings.auditBucket === null || intervalMs === 0) return null;
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  let underWay: Promise<void> = Promise.resolve();
  let archive: { run(): Promise<unknown> } | null = null;

  const load = async () => {
    const [{ composeArchive }, { s3Stores }] = await Promise.all([
      import('../../compose/archive/archive.ts'),
      import('../../platform/cloud/object-stores.ts'),
    ]);
    const { store, copies } = s3Stores(settings, { clock, stopwatch }, egress, cloud);
    return store && composeArchive(config, { clock, stopwatch, newId, log, outbox, store, copies, runMs: RUN_MS });
  };
  const run = async () => {
    try {
      archive ??= await load();
      if (archive === null) {
        log('warn', 'audit_archive_off', { missing: 'TGEFD_AUDIT_SIGNING_KEY' });
        stopped = true;
      } else await archive.run();
    } catch (error) {
      log('error', 'audit_archive_failed', { error: error instanceof Error ? error.message : typeof error });
    }
    if (!stopped) schedule();
  };
  const schedule = () => {
    timer = setTimeout(() => {
      underWay = run();
    }, intervalMs);
    timer.unref();
  };
  schedule();
  return {
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await underWay;
    },
  };
}
