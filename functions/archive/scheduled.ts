import { fetchExchange } from '../../lib/admit/redis-connection.ts';
import type { ArchiveRun } from '../../lib/audit/archive.ts';
import { createPseudonyms } from '../../lib/audit/pseudonym.ts';
import type { ObjectStore } from '../../lib/audit/store.ts';
import type { Config } from '../../lib/config/load.ts';
import type { Clock, Fetch, Log, NewId } from '../../lib/decision.ts';
import { cloudCredentials } from '../cloud-credentials.ts';
import { composeEgress, type EgressWatch } from '../egress.ts';
import type { NodeEgress } from '../node/egress.ts';
import { redisOutbox } from '../redis-outbox.ts';
import type { AccessKeeper } from '../secrets/access.ts';
import { composeArchive } from './compose.ts';
import { s3Stores } from './s3-stores.ts';

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
export const runScheduled = async (config: Config, runtime: ScheduledRuntime): Promise<ArchiveRun> => {
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
};
