import type { ArchiveRun } from '../archive/run.ts';
import { createPseudonyms } from '../audit/pseudonym.ts';
import { redisOutbox } from '../audit/redis-outbox-parts.ts';
import type { AccessKeeper } from '../audit/secret-access-records.ts';
import type { Config } from '../config/load.ts';
import type { Clock, Fetch, Log, NewId } from '../decision/ports.ts';
import { composeEgress, type EgressWatch } from '../egress/watch.ts';
import { cloudCredentials } from '../platform/cloud/credentials.ts';
import { s3Stores } from '../platform/cloud/object-stores.ts';
import type { NodeEgress } from '../platform/node/egress.ts';
import { fetchExchange } from '../redis/connection.ts';
import type { ObjectStore } from '../storage/store.ts';
import { composeArchive } from './archive.ts';

export interface ScheduledRuntime {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** Buckets by binding; null: those that the configuration names, over S3. */
  readonly bound: { readonly store: ObjectStore | null; readonly copies: ObjectStore | null };
  readonly fetch: Fetch;
  readonly watch: EgressWatch;
  /** Guarded agents for the S3 SDK; null on a Worker. */
  readonly nodeEgress: NodeEgress | null;
  readonly sharePromises: boolean;
  /** Records readings of secrets, once there is an outbox and a key to name their values by. */
  recordAccesses(keeper: AccessKeeper): Promise<void>;
  /** Time after which the run starts no further batch. */
  readonly runMs: number;
}

/**
 * One run of the archive, from Redis to the bucket, for a place that is started by a schedule. Rejects, so that the platform
 * counts a failed invocation, when something is missing, an outage ended the run, or a chain is broken.
 */
export async function runScheduled(config: Config, runtime: ScheduledRuntime): Promise<ArchiveRun> {
  const { settings } = config;
  const { clock, newId, log, bound, runMs } = runtime;
  const egress = composeEgress(settings, runtime);
  const named = s3Stores(settings, clock, runtime.nodeEgress, cloudCredentials(config, { ...runtime, fetch: egress }));
  const store = bound.store ?? named.store;
  if (!settings.redisUrl || !settings.redisToken) throw new Error('the archive needs TGEFD_REDIS_URL');
  if (store === null) throw new Error('the archive needs a bucket');
  const exchange = fetchExchange({ url: settings.redisUrl.href, token: settings.redisToken.current }, egress);
  const outbox = redisOutbox(settings, exchange, runtime.sharePromises);
  const { auditPseudonymKey } = settings;
  if (auditPseudonymKey !== null) {
    const pseudonyms = createPseudonyms({ key: auditPseudonymKey.current, previousKeys: [] });
    await runtime.recordAccesses({ outbox, pseudonyms });
  }
  const copies = bound.copies ?? named.copies;
  const archive = composeArchive(config, { clock, newId, log, outbox, store, copies, runMs });
  if (archive === null) throw new Error('the archive needs TGEFD_AUDIT_SIGNING_KEY');
  const run = await archive.run();
  if (run.outcome === 'broken') throw new Error('a chain of manifests is broken');
  return run;
}
