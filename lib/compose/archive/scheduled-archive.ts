import type { ArchiveRun } from '../../archive/run.ts';
import { createPseudonyms } from '../../audit/pseudonym.ts';
import { redisOutbox } from '../../audit/redis-outbox-parts.ts';
import type { AccessKeeper } from '../../audit/secret-access-records.ts';
import type { Config } from '../../config/load.ts';
import type { Fetch } from '../../decision/ports.ts';
import { composeEgress, type EgressWatch } from '../../egress/watch.ts';
import { cloudCredentials } from '../../platform/cloud/credentials.ts';
import { s3Stores } from '../../platform/cloud/object-stores.ts';
import type { NodeEgress } from '../../platform/node/egress.ts';
import type { ObjectStore } from '../../storage/store.ts';
import { composeRedisClient } from '../admit/redis.ts';
import type { Steps } from '../lifecycle/life.ts';
import type { Platform, Runtime } from '../runtime.ts';
import { composeArchive } from './archive.ts';

/** What a platform hands in for a scheduled archive. */
export interface ArchiveMeans {
  /** Buckets by binding; null: those that the configuration names, over S3. */
  readonly bound: { readonly store: ObjectStore | null; readonly copies: ObjectStore | null };
  readonly fetch: Fetch;
  readonly watch: EgressWatch;
  /** Guarded agents for the S3 SDK; null on a Worker. */
  readonly nodeEgress: NodeEgress | null;
  /** Redis over TCP, where the configuration asks for it and the platform can. */
  readonly redisOverTcp?: Runtime['redisOverTcp'];
  /** Time after which a run starts no further batch. */
  readonly runMs: number;
}

/** A platform that a schedule starts for one run of the archive. */
export interface ArchivePlatform extends Platform {
  archive(config: Config): ArchiveMeans;
}

/** The archive of a configuration, ready for a run. */
export interface ScheduledArchive {
  /** Rejects when an outage ended the run or a chain is broken, so that the platform counts a failed invocation. */
  run(): Promise<ArchiveRun>;
  readonly keeper: AccessKeeper | null;
}

/** The lifecycle's steps for a scheduled archive, from Redis to the bucket. */
export function archiveSteps(platform: ArchivePlatform): Steps<ScheduledArchive> {
  return {
    compose: (config) => composeScheduled(config, platform),
    adopt: () => {},
    keeper: ({ keeper }) => keeper,
    refreshSeconds: () => 0,
  };
}

/** Throws when the configuration lacks the store, the bucket or the key that an archive needs. */
function composeScheduled(config: Config, platform: ArchivePlatform): ScheduledArchive {
  const { settings } = config;
  const { clock, stopwatch, newId, log, sharePromises } = platform;
  const { bound, fetch, watch, nodeEgress, redisOverTcp = null, runMs } = platform.archive(config);
  const egress = composeEgress(settings, { fetch, watch });
  const cloud = cloudCredentials(config, { fetch: egress, clock, stopwatch, newId, sharePromises });
  const named = s3Stores(settings, { clock, stopwatch }, nodeEgress, cloud);
  const store = bound.store ?? named.store;
  if (store === null) throw new Error('the archive needs a bucket');
  const client = composeRedisClient(
    settings,
    { redisExchange: null, redisOverTcp },
    { egress, secret: () => settings.redisToken, used: () => {} },
  );
  if (client === null) throw new Error('the archive needs TGEFD_REDIS_URL');
  const outbox = redisOutbox(settings, client, null);
  const copies = bound.copies ?? named.copies;
  const archive = composeArchive(config, { clock, stopwatch, newId, log, outbox, store, copies, runMs });
  if (archive === null) throw new Error('the archive needs TGEFD_AUDIT_SIGNING_KEY');
  const key = settings.auditPseudonymKey?.current;
  return {
    keeper: key === undefined ? null : { outbox, pseudonyms: createPseudonyms({ key, previousKeys: [] }) },
    async run() {
      const run = await archive.run();
      if (run.outcome === 'broken') throw new Error('a chain of manifests is broken');
      return run;
    },
  };
}
