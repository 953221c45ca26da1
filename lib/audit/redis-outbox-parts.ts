import type { Settings } from '../config/variables.ts';
import type { RedisClient } from '../redis/client.ts';
import { redisKeys } from '../redis/keys.ts';
import type { ArchiveLock, Outbox, Source, Tail } from './outbox.ts';
import { createRedisOutbox } from './outbox-redis.ts';

/** An append may take longer than a decision's trip: in strict mode a lost one costs the caller a 503. Not much longer
 * either: the archive trusts that a record has found its place within its settling time. */
const APPEND_MS = { least: 1000, most: 2000 } as const;
/** Deadline of what the archive asks, which nobody waits for. */
const ARCHIVE_COMMAND_MS = 10_000;

/** The audit outbox in the shared Redis, one trip a command. */
export function redisOutbox(
  settings: Pick<Settings, 'auditStreamMaximum' | 'redisTimeoutMs' | 'redisCluster'>,
  client: RedisClient,
  sharePromises: boolean,
): Outbox & Source & ArchiveLock & Tail {
  return createRedisOutbox(
    {
      stream: redisKeys(settings.redisCluster).audit,
      maximumEntries: settings.auditStreamMaximum,
      timeoutMs: Math.min(Math.max(settings.redisTimeoutMs, APPEND_MS.least), APPEND_MS.most),
      shareTrips: sharePromises,
    },
    {
      request: async ({ body, signal = AbortSignal.timeout(ARCHIVE_COMMAND_MS) }) => ({
        result: await client.command(body, signal, true),
      }),
    },
  );
}
