import { createRedisStore } from '../../lib/admit/redis-store.ts';
import { createRedisEvents } from '../../lib/events/redis-store.ts';
import type { RedisClient } from '../../lib/redis/client.ts';
import { createRedisConnection } from '../../lib/redis/connection.ts';
import { createRedisRevocations } from '../../lib/revoke/redis.ts';
import type { RevocationPseudonyms } from '../../lib/revoke/revocation.ts';
import type { StoreUnderTest } from './admission-suite.ts';
import type { EventsUnderTest } from './events-suite.ts';

/** Moves the instants of all buckets back, which to them is the same as time going on. */
const AGE = `for _, key in ipairs(redis.call('KEYS', 'tgefd:v1:budget:*')) do
  local missing, at, rest = string.match(redis.call('GET', key), '^(%d+) (%d+) (.*)$')
  local ttl = redis.call('PTTL', key) - ARGV[1]
  if ttl <= 0 then redis.call('DEL', key)
  else redis.call('SET', key, missing .. ' ' .. string.format('%.0f', at - ARGV[1]) .. ' ' .. rest, 'PX', ttl) end
end return 1`;

/** Stands for a keyed hash, and shows in a test where a raw value slipped through. */
export function pseudonym(kind: 'jti' | 'sub', value: string): string {
  return `${kind}.${[...new TextEncoder().encode(value)].map((byte) => (byte ^ 0x5a).toString(16)).join('')}`;
}

export const pseudonyms: RevocationPseudonyms = (kind, value) => [pseudonym(kind, value)];

/** An emptied Redis behind one transport, as the contract suites want it. */
export async function redisUnderTest(client: RedisClient): Promise<StoreUnderTest & EventsUnderTest> {
  const command = (...parts: (string | number)[]) => client.command(parts, new AbortController().signal);
  await command('FLUSHDB');
  const connection = createRedisConnection(
    { timeoutMs: 5_000 },
    {
      client,
      clock: Date.now,
      random: Math.random,
      log: (level, event, facts) => console.log(level, event, facts),
    },
  );
  const store = createRedisStore(connection);
  return {
    store,
    revocations: createRedisRevocations(connection, pseudonyms),
    events: createRedisEvents(connection, { pseudonyms, nowSeconds: () => Math.floor(Date.now() / 1000) }),
    nowMs: Date.now,
    age: async (ms) => {
      if (ms > 0) await command('EVAL', AGE, 0, ms);
    },
    agesBackwards: true,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    keptId: (kind, id) => (kind === 'jti' || kind === 'sub' ? pseudonym(kind, id) : id),
  };
}
