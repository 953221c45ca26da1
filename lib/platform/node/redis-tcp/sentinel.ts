import type { Redis } from 'ioredis';
import type { Place } from './connector.ts';

/**
 * Asks the Sentinels, one after the other, where the primary is. Each is a connection of its own, ended after its answer; the
 * Sentinel that answered is asked first the next time. Rejects when none knows.
 */
export function createSentinelLookup(
  sentinels: readonly Place[],
  name: string,
  connect: (sentinel: Place) => Redis,
): () => Promise<Place> {
  let first = 0;
  return async () => {
    for (let turn = 0; turn < sentinels.length; turn++) {
      const at = (first + turn) % sentinels.length;
      const sentinel = sentinels[at];
      if (sentinel === undefined) break;
      const place = await primaryBy(connect(sentinel), name);
      if (place === null) continue;
      first = at;
      return place;
    }
    throw new Error('no Sentinel knows the primary');
  };
}

async function primaryBy(sentinel: Redis, name: string): Promise<Place | null> {
  sentinel.on('error', () => {}); // What is wrong is told by the answer that does not come.
  try {
    await sentinel.connect();
    const answer: unknown = await sentinel.call('SENTINEL', 'get-master-addr-by-name', name);
    if (!Array.isArray(answer) || typeof answer[0] !== 'string') return null;
    return { host: answer[0], port: Number(answer[1]) };
  } catch {
    return null;
  } finally {
    sentinel.disconnect();
  }
}
