import type { Settings } from '../config/variables.ts';
import type { RedisClient } from '../redis/client.ts';
import { redisKeys } from '../redis/keys.ts';
import type { ArchiveLock, Outbox, Source, Tail } from './outbox.ts';
import { createRedisOutbox } from './outbox-redis.ts';

/** Deadline of what the archive asks, which nobody waits for. */
const ARCHIVE_COMMAND_MS = 10_000;
/** How often a command whose user is waiting checks whether connections are refused, and after how many refusals it ends. */
const LOOK_MS = 250;
const UNREACHABLE_LOOKS = 4;

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
      async request({ body, signal, repeatable = false, isWatched = false }) {
        if (!isWatched)
          return { result: await client.command(body, signal ?? AbortSignal.timeout(ARCHIVE_COMMAND_MS), repeatable) };
        const patience = whileReachable(client);
        try {
          return { result: await client.command(body, patience.signal, repeatable) };
        } finally {
          patience.end();
        }
      },
    },
  );
}

/** A signal that aborts at the deadline, or once connections have been refused for a second. */
function whileReachable(client: RedisClient): { readonly signal: AbortSignal; end(): void } {
  const refused = new AbortController();
  let timer: ReturnType<typeof setTimeout>;
  const look = (refusedLooks: number) => {
    if (refusedLooks === UNREACHABLE_LOOKS) return refused.abort();
    timer = setTimeout(() => look(client.isUnreachable?.() === true ? refusedLooks + 1 : 0), LOOK_MS);
  };
  look(0);
  const signal = AbortSignal.any([refused.signal, AbortSignal.timeout(ARCHIVE_COMMAND_MS)]);
  return { signal, end: () => clearTimeout(timer) };
}
