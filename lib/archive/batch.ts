import { compareIds, type Entry } from '../audit/outbox.ts';
import { hex, sha256, utf8 } from '../codec/digest.ts';

/** Most bytes of a batch before compression, and the most that a reader unpacks: a bomb shows as damage. */
export const BATCH_MAXIMUM_BYTES = 8 * 1024 * 1024;
/** Smallest batch that is worth an object: below it, storage classes with a minimum size do not take it. */
export const BATCH_MINIMUM_PACKED_BYTES = 128 * 1024;

/** What a manifest says of a batch: worked out while packing, or from the object itself. */
export interface BatchDescription {
  readonly records: number;
  /** First and last entry, late ones aside; null in a batch of late entries only. */
  readonly firstStreamId: string | null;
  readonly lastStreamId: string | null;
  /** Entries at the head of the batch that an earlier batch should have held (the outbox was rolled back). */
  readonly late: number;
  /** Earliest and latest `ts` among the records; null where none is readable. */
  readonly firstTs: string | null;
  readonly lastTs: string | null;
  /** Size of the lines before compression. */
  readonly unpackedBytes: number;
}

export interface PackedBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly description: BatchDescription;
}

/** A line of a batch, as far as the chain is concerned. */
export interface Line {
  readonly text: string;
  readonly streamId: string;
  readonly n: number;
  /** Decision id, or null for an unreadable entry. */
  readonly id: string | null;
  readonly ts: string | null;
}

/** An object's JSON in printable ASCII without space at either end, which every record of ours is. */
const isPlainLine = /^\{[\x20-\x7e]*\}$/;

/** The parts of a record that packing looks at, or null where an entry is no record of ours. */
export function peek(record: string): { readonly id: string; readonly ts: string } | null {
  if (!isPlainLine.test(record)) return null;
  const parsed = parseObject(record);
  if (parsed === null) return null;
  const { type, id, ts, stream_id: streamId } = parsed;
  if (
    (type !== 'audit' && type !== 'secret_access' && type !== 'budget_change') ||
    typeof id !== 'string' ||
    typeof ts !== 'string' ||
    streamId !== undefined
  )
    return null;
  return Number.isNaN(Date.parse(ts)) ? null : { id, ts };
}

/**
 * Packs entries into one gzip NDJSON object: late ones first, each group ascending. A line is the record exactly as it was
 * appended, with `stream_id` and `n` added at its end; an entry that is no record becomes a line that tells its size and hash.
 */
export async function packBatch(late: readonly Entry[], fresh: readonly Entry[]): Promise<PackedBatch> {
  const lines: string[] = [];
  let firstTs: string | null = null;
  let lastTs: string | null = null;
  for (const { id: streamId, record } of [...late, ...fresh]) {
    const seen = peek(record);
    const position = `"stream_id":${JSON.stringify(streamId)},"n":${lines.length + 1}}\n`;
    lines.push(seen === null ? await unreadableLine(record, position) : `${record.slice(0, -1)},${position}`);
    if (seen === null) continue;
    if (firstTs === null || seen.ts < firstTs) firstTs = seen.ts;
    if (lastTs === null || seen.ts > lastTs) lastTs = seen.ts;
  }
  const unpacked = utf8(lines.join(''));
  return {
    bytes: await pipe(unpacked, new CompressionStream('gzip')),
    description: {
      records: lines.length,
      firstStreamId: fresh[0]?.id ?? null,
      lastStreamId: fresh.at(-1)?.id ?? null,
      late: late.length,
      firstTs,
      lastTs,
      unpackedBytes: unpacked.byteLength,
    },
  };
}

/** Reads a batch object; null where it is no gzip NDJSON of lines with a position, or larger than a batch may be. */
export async function unpackBatch(bytes: Uint8Array<ArrayBuffer>): Promise<readonly Line[] | null> {
  let text: string;
  try {
    const unpacked = await pipe(bytes, new DecompressionStream('gzip'), 2 * BATCH_MAXIMUM_BYTES);
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(unpacked);
  } catch {
    return null;
  }
  if (!text.endsWith('\n')) return null;
  const lines: Line[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const parsed = parseObject(line);
    if (parsed === null) return null;
    const { stream_id: streamId, n, id, ts } = parsed;
    if (typeof streamId !== 'string' || !/^\d+-./.test(streamId) || typeof n !== 'number') return null;
    lines.push({
      text: line,
      streamId,
      n,
      id: typeof id === 'string' ? id : null,
      ts: typeof ts === 'string' ? ts : null,
    });
  }
  return lines;
}

/** Describes a batch that was found written, by its lines and the last entry of the batch before it. */
export function describeBatch(lines: readonly Line[], afterStreamId: string | null): BatchDescription {
  const fresh = lines.filter(({ streamId }) => afterStreamId === null || compareIds(streamId, afterStreamId) > 0);
  const times = lines.flatMap(({ ts }) => (ts === null ? [] : [ts])).sort();
  return {
    records: lines.length,
    firstStreamId: fresh[0]?.streamId ?? null,
    lastStreamId: fresh.at(-1)?.streamId ?? null,
    late: lines.length - fresh.length,
    firstTs: times[0] ?? null,
    lastTs: times.at(-1) ?? null,
    unpackedBytes: lines.reduce((sum, { text }) => sum + utf8(text).byteLength + 1, 0),
  };
}

async function unreadableLine(record: string, position: string): Promise<string> {
  const bytes = utf8(record);
  const digest = hex(await sha256(bytes));
  return `{"type":"audit_unreadable","version":1,"bytes":${bytes.byteLength},"sha256":"${digest}",${position}`;
}

/** Sends bytes through a stream; throws when more than `maximumBytes` come out, or when the stream finds them damaged. */
async function pipe(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
  maximumBytes = Number.POSITIVE_INFINITY,
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = through.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  written.catch(() => {}); // The reading side fails for the same reason, and tells it.
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = through.readable.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    length += step.value.byteLength;
    if (length > maximumBytes) {
      await reader.cancel();
      throw new RangeError('the object unpacks to more than a batch may hold');
    }
    chunks.push(step.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
