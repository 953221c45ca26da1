import { spilledEntries } from '../../archive/spill/spill.ts';
import { auditRecordSchema } from '../../audit/schema.ts';
import { outageSentence, RedisFailure } from '../../redis/failure.ts';
import type { Found, Query } from '../../verify/query.ts';
import { isWithin } from '../../verify/query.ts';
import type { Output } from '../command.ts';
import { composeForCommand } from '../compose.ts';
import { type OpenArchive, readJson } from './parts.ts';

const PAGE = 1000;
/** A record as a search of the archive gives it. */
export type FoundRecord = Extract<Found, { found: 'record' }>['record'];

/** How long after its storing a record may still wait for the archive, in words. */
const ARCHIVED_WITHIN = 'five minutes and the next run of the archive';

/**
 * The records of a search that are in the outbox, by their decision. Must be asked before the archive is searched: an entry
 * moves from one to the other. Where the outbox cannot be asked, says when the
 * archive will have them.
 */
export async function searchOutbox(query: Query, console: Output): Promise<ReadonlyMap<string, FoundRecord>> {
  const found = new Map<string, FoundRecord>();
  // Without a shared store there is nothing that another process could have left.
  if ((console.env.TGEFD_REDIS_URL ?? console.env.UPSTASH_REDIS_REST_URL) === undefined) return found;
  const quiet = { env: console.env, err: () => undefined, atEnd: console.atEnd };
  const composed = await composeForCommand(quiet).catch(() => null);
  const outbox = composed?.outbox ?? null;
  const later = (why: string) => {
    console.err(`${why}: what was decided just now is found within ${ARCHIVED_WITHIN}`);
  };
  if (outbox === null) {
    later('the outbox was not searched');
    return found;
  }
  try {
    for (let lastId = '0-0'; ; ) {
      const page = await outbox.follow(lastId, PAGE);
      lastId = page.lastId;
      for (const { id, record } of page.entries) {
        const parsed = auditRecordSchema.safeParse(readJson(record));
        if (parsed.success && isWanted(parsed.data, query))
          found.set(parsed.data.id, { ...parsed.data, stream_id: id, n: 0 });
      }
      if (page.entries.length < PAGE) return found;
    }
  } catch (error) {
    later(error instanceof RedisFailure ? outageSentence(error.kind) : 'the outbox does not answer');
    return found;
  }
}

/**
 * The records of a search that lie spilled in the bucket, by their decision: the outbox did not take them, and the archive
 * has not come by yet. Must be asked before the archive is searched, too. Null where they could not be read.
 */
export async function searchSpilled(
  query: Query,
  { store, layout }: Pick<OpenArchive, 'store' | 'layout'>,
): Promise<ReadonlyMap<string, FoundRecord> | null> {
  const found = new Map<string, FoundRecord>();
  try {
    for await (const { id, record } of spilledEntries(store, layout)) {
      const parsed = auditRecordSchema.safeParse(readJson(record));
      if (parsed.success && isWanted(parsed.data, query))
        found.set(parsed.data.id, { ...parsed.data, stream_id: id, n: 0 });
    }
    return found;
  } catch {
    return null;
  }
}

function isWanted(record: Omit<FoundRecord, 'stream_id' | 'n'>, query: Query): boolean {
  const { identities, addresses, action, outcome, requestId, keyId, shadow } = query;
  return (
    isWithin(query, record.ts) &&
    (identities === null || (record.identity !== null && identities.includes(record.identity))) &&
    (addresses === null || (record.client_address !== null && addresses.includes(record.client_address))) &&
    (action === null || record.action === action) &&
    (outcome === null || record.outcome === outcome) &&
    (requestId === null || record.request_id === requestId) &&
    (keyId === null || record.key_id === keyId) &&
    (shadow !== true || record.outcome === 'would_deny' || record.shadow !== undefined)
  );
}
