import * as z from 'zod/mini';
import type { RedisConnection } from '../redis/connection.ts';
import { fieldOf, type RevocationPseudonyms } from '../revoke/revocation.ts';
import {
  EVENT_MEMORY_SECONDS,
  type EventChange,
  type EventStore,
  HOLD_SECONDS,
  RELEASE_MEMORY_SECONDS,
} from './event-store.ts';
import { APPLY_EVENT } from './scripts.ts';

const answer = z.tuple([z.enum(['applied', 'unchanged', 'repeated'])]);

/** Events that become revocations in Redis, for every isolate and region: each is one atomic script. */
export function createRedisEvents(
  connection: RedisConnection,
  parts: { readonly pseudonyms: RevocationPseudonyms; readonly nowSeconds: () => number },
): EventStore {
  const { keys } = connection;
  const fieldsFor = async ({ kind, id }: EventChange) =>
    (await parts.pseudonyms(kind, id)).map((name) => fieldOf(kind, name));

  return {
    async apply({ key, changes, reason }) {
      const details = { reason, createdAtSeconds: parts.nowSeconds(), by: 'event' };
      const places = [keys.revocations, keys.revocationChanges, keys.revocationExpiry, keys.event(key)];
      const args: (string | number)[] = [
        JSON.stringify(details),
        EVENT_MEMORY_SECONDS * 1000,
        HOLD_SECONDS,
        RELEASE_MEMORY_SECONDS,
      ];
      for (const change of changes) {
        const fields = await fieldsFor(change);
        args.push(change.action, change.atSeconds, change.beforeSeconds ?? '', change.expiresAtSeconds);
        args.push(fields.length, ...fields);
        places.push(...fields.map((field) => keys.hold(field)));
      }
      const reply = await connection.run(APPLY_EVENT, places, args);
      if (!reply.answered) return { done: false, retryAfterSeconds: reply.retryAfterSeconds };
      const read = answer.safeParse(reply.value);
      return read.success ? { done: true, value: read.data[0] } : { done: false, retryAfterSeconds: 1 };
    },
  };
}
