import { compareIds, type Entry, type Source, storedAtMs } from '../audit/outbox.ts';
import { hex, sha256, utf8 } from '../codec/digest.ts';
import type { Clock, Log } from '../decision/ports.ts';
import {
  BATCH_MAXIMUM_BYTES,
  BATCH_MINIMUM_PACKED_BYTES,
  type BatchDescription,
  describeBatch,
  packBatch,
  unpackBatch,
} from './batch.ts';
import { type ChainParts, type Link, lastSequence, readLink } from './chain.ts';
import { MANIFEST_VERSION, type Manifest } from './manifest.ts';
import type { Signer } from './signature.ts';

export interface DrainSettings {
  /** Name of the chain; one source has one. */
  readonly writer: string;
  /** How long an entry rests before it is archived: longer than a record's whole way may take, so that a spilled twin shows. */
  readonly settleMs: number;
  /** Age at which an entry is archived however small the batch. */
  readonly maximumAgeMs: number;
}

export interface DrainParts extends ChainParts {
  readonly source: Source;
  readonly signer: Signer;
  /** Which of these entries lie elsewhere too and are archived from there. */
  readonly twins: (entries: readonly Entry[]) => Promise<ReadonlySet<string>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What one step did. `waiting`: what is there is too little and too young. `broken`: the chain cannot be trusted or
 * continued, and nothing was removed. */
export type DrainStep =
  | { readonly outcome: 'archived'; readonly records: number; readonly late: number }
  | { readonly outcome: 'empty' | 'waiting' }
  | { readonly outcome: 'broken'; readonly why: string; readonly key: string };

/** Fewer entries than this cannot fill a batch: not worth a reading. */
const WORTH_READING_ENTRIES = 300;

/** What one writer works with, and how far its chain is known to reach. */
interface Writing {
  readonly settings: DrainSettings;
  readonly parts: DrainParts;
  reached: number;
}

/** Writes one batch of a chain with each step; `hint`: the highest number that an anchor names. */
export interface BatchWriter {
  step(hint: number): Promise<DrainStep>;
}

/**
 * Moves one batch from a source to its chain: object, then manifest, each created only where nothing is, then removal from
 * the source. May be stopped at any point and run by several at once; rejects on an outage. Why nothing is lost and nothing
 * stands twice is argued in docs/reference/audit-archive.md; it rests on the order of the lines below.
 */
export function createBatchWriter(settings: DrainSettings, parts: DrainParts): BatchWriter {
  const writing: Writing = { settings, parts, reached: 0 };
  return { step: (hint) => step(writing, hint) };
}

/** One batch, or none. `hint`: a sequence number that the chain is known to have reached, or 0. */
async function step(writing: Writing, hint: number): Promise<DrainStep> {
  const { writer, settleMs, maximumAgeMs } = writing.settings;
  const { source, log } = writing.parts;
  const backlog = await source.backlog();
  if (backlog.oldestMs === null) return { outcome: 'empty' };
  const nowMs = await source.now();
  const isDue = nowMs - backlog.oldestMs >= maximumAgeMs;
  if (!isDue && backlog.entries < WORTH_READING_ENTRIES) return { outcome: 'waiting' };

  // First the entries, then the head: what another archive commits in between can then only make us find its batch
  // already written, never make us start the same number from later entries.
  const entries = await source.read(nowMs - settleMs, BATCH_MAXIMUM_BYTES);
  const head = await findHead(writing, hint);
  if (head !== null && 'outcome' in head) return head;

  const { fresh, passed, twins } = await sortOut(writing, entries, head);
  const late = await lateAmong(writing, passed, head);
  if ('outcome' in late) return late;
  const isLate = new Set(late.map(({ id }) => id));
  const done = passed.filter(({ id }) => !isLate.has(id)).map(({ id }) => id);
  if (done.length + twins.size > 0) await source.remove([...done, ...twins]);
  if (late.length > 0) log('warn', 'audit_entries_late', { writer, late: late.length });
  if (fresh.length + late.length === 0)
    return { outcome: entries.length === 0 ? 'waiting' : 'archived', records: 0, late: 0 };

  const packed = await packBatch(late, fresh);
  const isFull =
    packed.bytes.byteLength >= BATCH_MINIMUM_PACKED_BYTES || packed.description.unpackedBytes > BATCH_MAXIMUM_BYTES / 2;
  if (!isDue && !isFull) return { outcome: 'waiting' };
  return commit(writing, head, late, fresh, packed);
}

/** Entries after the head of the chain, entries that it has passed, and second copies of entries. */
async function sortOut({ parts }: Writing, entries: readonly Entry[], head: Link | null) {
  const twins = await parts.twins(entries);
  const after = head?.manifest.last_stream_id ?? null;
  const fresh: Entry[] = [];
  const passed: Entry[] = [];
  for (const entry of entries) {
    if (twins.has(entry.id)) continue;
    (after === null || compareIds(entry.id, after) > 0 ? fresh : passed).push(entry);
  }
  return { fresh, passed, twins };
}

/** The newest link. Must be looked up after the source was read: see `step`. */
async function findHead(writing: Writing, hint: number): Promise<Link | null | DrainStep> {
  const { writer } = writing.settings;
  const { parts } = writing;
  const { layout, log } = parts;
  writing.reached = Math.max(writing.reached, hint);
  const sequence = await lastSequence(parts, writer, writing.reached);
  if (sequence < writing.reached) log('error', 'audit_chain_cut', { writer, reached: writing.reached, sequence });
  if (sequence === 0) return null;
  const read = await readLink(parts, writer, sequence);
  if (read.found === 'link') return read.link;
  return {
    outcome: 'broken',
    why: read.found === 'untrusted' ? read.why : 'missing',
    key: layout.manifest(writer, sequence),
  };
}

/** Of entries that the chain has passed, those that no batch holds: the outbox was rolled back, or its clock was. */
async function lateAmong(
  writing: Writing,
  passed: readonly Entry[],
  head: Link | null,
): Promise<readonly Entry[] | DrainStep> {
  const { writer } = writing.settings;
  const { parts } = writing;
  const { store } = parts;
  const missing = new Map(passed.map((entry) => [entry.id, entry]));
  const [oldest] = passed;
  for (let link = head; oldest !== undefined && link !== null && missing.size > 0; ) {
    const { manifest } = link;
    const bytes = await store.read(manifest.object.key, BATCH_MAXIMUM_BYTES);
    const lines = bytes === null ? null : await unpackBatch(bytes);
    if (lines === null) return { outcome: 'broken', why: 'batch unreadable', key: manifest.object.key };
    for (const { streamId, text } of lines) {
      const record = missing.get(streamId)?.record;
      if (record !== undefined && holds(text, record)) missing.delete(streamId);
    }
    if (manifest.after_stream_id === null || compareIds(manifest.after_stream_id, oldest.id) < 0) break;
    const before = await readLink(parts, writer, manifest.sequence - 1);
    link = before.found === 'link' ? before.link : null; // Past the retention horizon there is nothing to compare with.
  }
  return [...missing.values()];
}

async function commit(
  writing: Writing,
  head: Link | null,
  late: readonly Entry[],
  fresh: readonly Entry[],
  packed: Packed,
): Promise<DrainStep> {
  const { writer } = writing.settings;
  const { parts } = writing;
  const { source, store, layout, signer, clock } = parts;
  const sequence = (head?.manifest.sequence ?? 0) + 1;
  const after = head?.manifest.last_stream_id ?? null;
  const [first] = [...fresh, ...late];
  if (first === undefined) return { outcome: 'empty' };
  const key = layout.batch(writer, sequence, storedAtMs(first.id));
  let batch = { ...packed, ids: [...late, ...fresh].map(({ id }) => id) };
  if ((await store.create(key, packed.bytes, 'application/gzip')) === 'exists') {
    // An earlier try of ours or another archive was here: what it wrote is the batch, and ours is forgotten.
    const bytes = await store.read(key, BATCH_MAXIMUM_BYTES);
    const lines = bytes === null ? null : await unpackBatch(bytes);
    if (bytes === null || lines === null) return { outcome: 'broken', why: 'batch unreadable', key };
    batch = { bytes, description: describeBatch(lines, after), ids: lines.map(({ streamId }) => streamId) };
  }
  const manifest = manifestOf(batch.description, {
    writer,
    sequence,
    created_at: new Date(clock()).toISOString(),
    object: { key, bytes: batch.bytes.byteLength, sha256: hex(await sha256(batch.bytes)) },
    after,
    previous_sha256: head?.fileSha256 ?? null,
  });
  const file = utf8(await signer.sign('manifest', JSON.stringify(manifest)));
  const manifestKey = layout.manifest(writer, sequence);
  if ((await store.create(manifestKey, file, 'application/json')) === 'exists') {
    const read = await readLink(parts, writer, sequence);
    const theirs = read.found === 'link' ? read.link.manifest.object : null;
    if (theirs?.key !== key || theirs.sha256 !== manifest.object.sha256) {
      return { outcome: 'broken', why: 'manifest of another batch', key: manifestKey };
    }
  }
  writing.reached = sequence;
  await source.remove(batch.ids);
  return { outcome: 'archived', records: batch.description.records, late: batch.description.late };
}

interface Packed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly description: BatchDescription;
}

/** Whether a line of a batch is this very record: equal up to the position added at its end, or told by hash. */
function holds(line: string, record: string): boolean {
  return line.startsWith('{"type":"audit_unreadable"') || line.startsWith(record.slice(0, -1));
}

function manifestOf(
  description: BatchDescription,
  link: Pick<Manifest, 'writer' | 'sequence' | 'created_at' | 'previous_sha256'> & {
    readonly object: { readonly key: string; readonly bytes: number; readonly sha256: string };
    readonly after: string | null;
  },
): Manifest {
  return {
    type: 'audit_manifest',
    version: MANIFEST_VERSION,
    writer: link.writer,
    sequence: link.sequence,
    created_at: link.created_at,
    object: { ...link.object, unpacked_bytes: description.unpackedBytes, records: description.records },
    after_stream_id: link.after,
    first_stream_id: description.firstStreamId,
    last_stream_id: description.lastStreamId ?? link.after,
    late: description.late,
    first_ts: description.firstTs,
    last_ts: description.lastTs,
    previous_sha256: link.previous_sha256,
  };
}
