import * as z from 'zod/mini';
import type { RevocationKind } from '../decision/reason.ts';
import type { RedisConnection, RedisReply } from '../redis/connection.ts';
import {
  fieldOf,
  idIn,
  type Revocation,
  type RevocationOutcome,
  type RevocationPseudonyms,
  type Revocations,
} from './revocation.ts';
import { ADD_REVOCATION, FIND_REVOCATIONS, LIST_REVOCATIONS, REMOVE_REVOCATION } from './scripts.ts';

const NAMES_PER_PAGE = 100;

const kinds = ['jti', 'sub', 'kid', 'thumbprint', 'key_id'] as const;
const details = z.object({
  reason: z.nullable(z.string()),
  createdAtSeconds: z.number(),
  by: z.string(),
});

/**
 * Revocations in Redis, for every isolate and region. Token ids and subjects are kept under pseudonyms: the current one is
 * written, all are looked up. Each operation is one atomic script, thus read and written at the primary.
 */
export function createRedisRevocations(connection: RedisConnection, pseudonyms: RevocationPseudonyms): Revocations {
  const { keys } = connection;
  const namesOf = async (kind: RevocationKind, id: string): Promise<readonly string[]> =>
    kind === 'jti' || kind === 'sub' ? await pseudonyms(kind, id) : [id];
  const fieldsFor = async (kind: RevocationKind, id: string) =>
    (await namesOf(kind, id)).map((name) => fieldOf(kind, name));
  const removeFields = async (fields: readonly string[]): Promise<RevocationOutcome<boolean>> => {
    const holds = fields.map((field) => keys.hold(field));
    const reply = await connection.run(REMOVE_REVOCATION, [keys.revocations, keys.revocationChanges, ...holds], fields);
    return outcome(reply, (value) => z.number().parse(value) > 0);
  };

  return {
    async add(entry) {
      const { kind, beforeSeconds, expiresAtSeconds, ...rest } = entry;
      const [id = ''] = await namesOf(kind, entry.id);
      const field = fieldOf(kind, id);
      const reply = await connection.run(
        ADD_REVOCATION,
        [keys.revocations, keys.revocationChanges, keys.revocationExpiry, keys.hold(field)],
        [field, expiresAtSeconds, beforeSeconds ?? '', JSON.stringify(details.parse(rest))],
      );
      return outcome(reply, (value) => ({ ...entry, id, ...parseTimes(value) }));
    },
    remove: async (kind, id) => removeFields(await fieldsFor(kind, id)),
    removeListed: (kind, id) => removeFields([fieldOf(kind, id)]),
    async find(kind, id) {
      const reply = await connection.run(FIND_REVOCATIONS, [keys.revocations], await fieldsFor(kind, id));
      return outcome(reply, (value) => {
        const kept = z
          .array(z.string())
          .parse(value)
          .find((text) => text !== 'none');
        return kept === undefined ? null : parseKept(kept);
      });
    },
    async list(cursor) {
      if (cursor !== null && !/^\d{1,16}$/.test(cursor)) return { done: true, value: { entries: [], next: null } };
      const reply = await connection.run(
        LIST_REVOCATIONS,
        [keys.revocations, keys.revocationChanges],
        [cursor ?? 0, NAMES_PER_PAGE],
      );
      return outcome(reply, (value) => {
        const [next, ...kept] = z.tuple([z.number()], z.string()).parse(value);
        return { entries: kept.map(parseKept), next: next === 0 ? null : `${next}` };
      });
    },
  };
}

function parseTimes(value: unknown): Pick<Revocation, 'expiresAtSeconds' | 'beforeSeconds'> {
  const [text] = z.tuple([z.string()]).parse(value);
  const [, expires, before] = text.split(' ');
  return { expiresAtSeconds: Number(expires), beforeSeconds: before ? Number(before) : null };
}

/** An answer that is not of our making counts as an outage. */
function outcome<T>(reply: RedisReply, read: (value: unknown) => T): RevocationOutcome<T> {
  if (!reply.answered) return { done: false, retryAfterSeconds: reply.retryAfterSeconds };
  try {
    return { done: true, value: read(reply.value) };
  } catch {
    return { done: false, retryAfterSeconds: 1 };
  }
}

/** `kind:id expiry cut-off {details}` as the scripts give it. */
function parseKept(text: string): Revocation {
  const [name = '', expires, before, ...rest] = text.split(' ');
  return {
    kind: z.enum(kinds).parse(name.slice(0, name.indexOf(':'))),
    id: idIn(name),
    expiresAtSeconds: Number(expires),
    beforeSeconds: before ? Number(before) : null,
    ...details.parse(JSON.parse(rest.join(' '))),
  };
}
