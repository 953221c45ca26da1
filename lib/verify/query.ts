import { BATCH_MAXIMUM_BYTES, type Line, unpackBatch } from '../archive/batch.ts';
import { type ChainParts, type LinkRead, readLink } from '../archive/chain.ts';
import { extentOf, firstReaching, sinceMs } from '../archive/range.ts';
import {
  type ArchivedAccess,
  type ArchivedRecord,
  archivedAccessSchema,
  archivedRecordSchema,
} from '../audit/schema.ts';
import { hex, sha256 } from '../codec/digest.ts';
import { mapConcurrent } from '../codec/map-concurrent.ts';

/** What is looked for; null: whatever it is. */
export interface Query {
  /** By the records' own time, epoch milliseconds: from (inclusive) and to (exclusive). */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Pseudonyms of the caller, one for each key it may have been made with. */
  readonly identities: readonly string[] | null;
  /** The same of the client's address. */
  readonly addresses: readonly string[] | null;
  readonly action: string | null;
  readonly outcome: 'allowed' | 'denied' | 'would_deny' | null;
  /** Only records of a trial: denials that were let through, and decisions of another outcome by the shadow table. */
  readonly shadow?: boolean;
  readonly requestId: string | null;
  /** Key that vouched for the caller, as records name it. */
  readonly keyId: string | null;
}

/** One find, or a piece of the archive that could not be searched. */
export type Found<R = ArchivedRecord> =
  | { readonly found: 'record'; readonly record: R }
  | { readonly found: 'damage'; readonly key: string; readonly why: string };

const READ_WIDTH = 4;
/** A record is stored soon after its decision; spilled ones and slow trips are given this long. */
const STORED_WITHIN_MS = 3_600_000;

/**
 * Searches the archive, chain by chain in order of storing, in memory of a few batches. Gives genuine records only: a
 * manifest that no known key signed, or a batch that is not what its manifest says, is told as damage and not searched.
 * Does not look into the outbox, where the last minutes are.
 */
export function searchArchive(
  query: Query,
  parts: ChainParts,
  progress: (batches: number) => void = () => {},
): AsyncGenerator<Found> {
  const needles = textsToFind(query);
  return search(query, parts, progress, (line) => matching(line, query, needles));
}

/** Searches the archive in the same way for readings of secrets; `variable` null: of any. */
export function searchAccesses(
  query: Period & { readonly variable: string | null },
  parts: ChainParts,
  progress: (batches: number) => void = () => {},
): AsyncGenerator<Found<ArchivedAccess>> {
  return search(query, parts, progress, ({ text }) => {
    if (!text.startsWith('{"type":"secret_access"')) return null;
    const parsed = archivedAccessSchema.safeParse(JSON.parse(text));
    if (!parsed.success || !isWithin(query, parsed.data.ts)) return null;
    return query.variable === null || parsed.data.variable === query.variable ? parsed.data : null;
  });
}

export type Period = Pick<Query, 'fromMs' | 'toMs'>;

/** Whether a time as records write it (RFC 3339) lies in a period; what is no time lies in none that has an end. */
export function isWithin({ fromMs, toMs }: Period, ts: string): boolean {
  const atMs = Date.parse(ts);
  return (fromMs === null || atMs >= fromMs) && (toMs === null || atMs < toMs);
}

async function* search<R>(
  query: Period,
  parts: ChainParts,
  progress: (batches: number) => void,
  match: (line: Line) => R | null,
): AsyncGenerator<Found<R>> {
  const fromMs = query.fromMs ?? 0;
  const toMs = query.toMs ?? Number.POSITIVE_INFINITY;
  let batches = 0;
  for (const writer of await parts.store.folders(parts.layout.manifests)) {
    const extent = await extentOf(parts, writer);
    if (extent === null) continue;
    const start = await firstReaching(parts, writer, extent, fromMs);
    const sequences = Array.from({ length: extent.last - start + 1 }, (_, place) => start + place);
    for await (const piece of mapConcurrent(sequences, READ_WIDTH, (sequence) =>
      load(parts, writer, sequence, query),
    )) {
      progress(++batches);
      const { read, key, lines } = piece;
      if (read.found !== 'link') {
        yield { found: 'damage', key, why: read.found === 'nothing' ? 'manifest missing' : `manifest ${read.why}` };
        continue;
      }
      if (sinceMs(read.link.manifest) > toMs + STORED_WITHIN_MS) break;
      if (lines === null) yield { found: 'damage', key, why: 'batch missing or altered' };
      for (const line of lines ?? []) {
        const record = match(line);
        if (record !== null) yield { found: 'record', record };
      }
    }
  }
}

/** The lines of a batch; empty when nothing in it can match, null when it is not what its manifest says. */
async function load(
  parts: ChainParts,
  writer: string,
  sequence: number,
  { fromMs, toMs }: Period,
): Promise<{ readonly read: LinkRead; readonly key: string; readonly lines: readonly Line[] | null }> {
  const read = await readLink(parts, writer, sequence);
  if (read.found !== 'link') return { read, key: parts.layout.manifest(writer, sequence), lines: null };
  const { object, first_ts: firstTs, last_ts: lastTs } = read.link.manifest;
  const isOutside =
    firstTs === null ||
    lastTs === null ||
    (fromMs !== null && Date.parse(lastTs) < fromMs) ||
    (toMs !== null && Date.parse(firstTs) >= toMs);
  if (isOutside) return { read, key: object.key, lines: [] };
  const bytes = await parts.store.read(object.key, BATCH_MAXIMUM_BYTES);
  const isAsSigned = bytes !== null && hex(await sha256(bytes)) === object.sha256;
  return { read, key: object.key, lines: isAsSigned ? await unpackBatch(bytes) : null };
}

/** Texts of which a line must hold one of each group, so that most lines need no parsing. */
function textsToFind({
  identities,
  addresses,
  action,
  outcome,
  requestId,
  keyId,
}: Query): readonly (readonly string[])[] {
  return [
    identities?.map((identity) => JSON.stringify(identity)) ?? null,
    addresses?.map((address) => JSON.stringify(address)) ?? null,
    action === null ? null : [JSON.stringify(action)],
    outcome === null ? null : [`"outcome":"${outcome}"`],
    requestId === null ? null : [JSON.stringify(requestId)],
    keyId === null ? null : [JSON.stringify(keyId)],
  ].filter((group) => group !== null);
}

function matching(line: Line, query: Query, needles: readonly (readonly string[])[]): ArchivedRecord | null {
  if (!needles.every((group) => group.some((text) => line.text.includes(text)))) return null;
  const parsed = archivedRecordSchema.safeParse(JSON.parse(line.text));
  if (!parsed.success) return null;
  const record = parsed.data;
  const isWanted =
    isWithin(query, record.ts) &&
    (query.identities === null || (record.identity !== null && query.identities.includes(record.identity))) &&
    (query.addresses === null || (record.client_address !== null && query.addresses.includes(record.client_address))) &&
    (query.action === null || record.action === query.action) &&
    (query.outcome === null || record.outcome === query.outcome) &&
    (query.requestId === null || record.request_id === query.requestId) &&
    (query.keyId === null || record.key_id === query.keyId) &&
    (query.shadow !== true || record.outcome === 'would_deny' || record.shadow !== undefined);
  return isWanted ? record : null;
}
