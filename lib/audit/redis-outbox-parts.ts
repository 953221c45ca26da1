import type { Settings } from '../config/variables.ts';
import type { RedisClient } from '../redis/client.ts';
import { redisKeys } from '../redis/keys.ts';
import type { ArchiveLock, Outbox, Source, Tail } from './outbox.ts';
import { createRedisOutbox } from './outbox-redis.ts';

/** Deadline of what the archive asks, which nobody waits for. */
const ARCHIVE_COMMAND_MS = 10_000;

/** The audit outbox in the shared Redis, one trip a command. `writer` names this process; null: no trips are shared. */
export function redisOutbox(
  settings: Pick<Settings, 'auditStreamMaximum' | 'auditTimeoutMs' | 'redisCluster'>,
  client: RedisClient,
  writer: string | null,
): Outbox & Source & ArchiveLock & Tail {
  return createRedisOutbox(
    {
      stream: redisKeys(settings.redisCluster).audit,
      maximumEntries: settings.auditStreamMaximum,
      timeoutMs: settings.auditTimeoutMs,
      shareTrips: writer !== null,
      ...(writer !== null && { writer }),
    },
    {
      request: async ({ body, signal = AbortSignal.timeout(ARCHIVE_COMMAND_MS), repeatable = false }) => ({
        result: await client.command(body, signal, repeatable),
      }),
    },
  );
}
