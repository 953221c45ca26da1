import { BATCH_MAXIMUM_BYTES } from '../archive/batch.ts';
import { type ChainParts, type Link, type LinkRead, readLink } from '../archive/chain.ts';
import type { Manifest } from '../archive/manifest.ts';
import { type Extent, firstReaching, sequences, sinceMs } from '../archive/range.ts';
import { hex, sha256 } from '../codec/digest.ts';
import { mapConcurrent } from '../codec/map-concurrent.ts';
import type { AnchoredChain } from './anchors.ts';
import { checkBatch } from './batch.ts';
import { type Findings, FORGED } from './findings.ts';

/** What was seen of one chain. */
export interface ChainSeen {
  readonly writer: string;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  readonly batches: number;
  readonly records: number;
  /** Highest sequence number that an anchor fixes, or null. Later batches rest on the signing key alone. */
  readonly anchoredSequence: number | null;
}

export interface ChainTask {
  readonly writer: string;
  readonly extent: Extent;
  readonly anchored: AnchoredChain;
  readonly fromMs: number;
  readonly toMs: number;
  readonly expiredBeforeMs: number;
  /** Told every batch object that a genuine manifest names, and `<writer>-<sequence>` where there is no such manifest. */
  readonly refer: (keyOrName: string) => void;
  readonly progress: (records: number) => void;
}

interface Piece {
  readonly sequence: number;
  readonly read: LinkRead;
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  readonly sha256: string | null;
}

const READ_WIDTH = 4;

/**
 * Walks one chain over a time range, in memory of a few batches: every manifest genuine, in its place, tied to the one
 * before and to the anchors; every batch there, as signed, whole and in order.
 */
export async function verifyChain(parts: ChainParts, task: ChainTask, findings: Findings): Promise<ChainSeen> {
  const { writer, extent, anchored } = task;
  const start = await firstReaching(parts, writer, extent, task.fromMs);
  const strays = new Map<string, number>();
  let before: { readonly fileSha256: string; readonly link: Link | null } | null = null;
  let firstSequence: number | null = null;
  let lastSequence: number | null = null;
  let batches = 0;
  let records = 0;

  for await (const { sequence, read, bytes, sha256: actual } of mapConcurrent(
    sequences(start, extent.last),
    READ_WIDTH,
    (number) => loadPiece(parts, writer, number),
  )) {
    const key = parts.layout.manifest(writer, sequence);
    const at = { writer, sequence, key };
    if (read.found !== 'link') task.refer(`${writer}-${sequence}`);
    if (read.found === 'nothing') {
      findings.add('manifest_missing', at, 'between manifests that are there');
      before = null;
      continue;
    }
    const fileSha256 = read.found === 'link' ? read.link.fileSha256 : read.fileSha256;
    const fixed = anchored.get(sequence);
    if (fixed !== undefined && fixed !== fileSha256)
      findings.add('manifest_replaced', at, 'is not what an anchor names');
    if (read.found === 'untrusted') {
      untrusted(read.why, at, findings);
      before = { fileSha256, link: null };
      continue;
    }
    const { manifest } = read.link;
    if (sinceMs(manifest) > task.toMs) break;
    firstSequence ??= sequence;
    lastSequence = sequence;
    if (before === null) checkBeginning(manifest, at, task, findings);
    else checkTie(manifest, before, at, findings);
    before = { fileSha256, link: read.link };

    task.refer(manifest.object.key);
    batches++;
    if (bytes === null)
      findings.add('batch_missing', { ...at, key: manifest.object.key }, `${manifest.object.records} records`);
    else {
      if (actual !== manifest.object.sha256) strays.set(actual ?? '', sequence);
      records += await checkBatch(manifest, bytes, actual === manifest.object.sha256, findings);
    }
    task.progress(records);
  }

  if (strays.size > 0) await findStrays(parts, task, start, strays, findings);
  const anchoredSequence = checkTail(task, findings);
  return { writer, firstSequence, lastSequence, batches, records, anchoredSequence };
}

async function loadPiece(parts: ChainParts, writer: string, sequence: number): Promise<Piece> {
  const read = await readLink(parts, writer, sequence);
  if (read.found !== 'link') return { sequence, read, bytes: null, sha256: null };
  const { object } = read.link.manifest;
  const bytes = await parts.store.read(object.key, Math.min(object.bytes, BATCH_MAXIMUM_BYTES));
  return { sequence, read, bytes, sha256: bytes === null ? null : hex(await sha256(bytes)) };
}

/** Whether the chain reaches the highest number that an anchor names; gives that number. */
function checkTail({ writer, extent, anchored }: ChainTask, findings: Findings): number | null {
  const anchoredSequence = anchored.size === 0 ? null : Math.max(...anchored.keys());
  if (anchoredSequence !== null && anchoredSequence > extent.last) {
    const detail = `an anchor names ${anchoredSequence}, the chain ends at ${extent.last}`;
    findings.add('tail_missing', { writer, sequence: extent.last + 1 }, detail);
  }
  return anchoredSequence;
}

type At = { readonly writer: string; readonly sequence: number; readonly key: string };

function untrusted(why: 'malformed' | 'forged' | 'misplaced', at: At, findings: Findings): void {
  if (why === 'forged') findings.add('manifest_forged', at, FORGED);
  else if (why === 'misplaced') findings.add('manifest_misplaced', at, 'is the manifest of another batch');
  else findings.add('manifest_altered', at, 'is no manifest any more');
}

/** The first link of a range: what comes before it lies outside, has expired, or is gone. */
function checkBeginning(manifest: Manifest, at: At, task: ChainTask, findings: Findings): void {
  const isStart = manifest.sequence === 1;
  if (isStart !== (manifest.previous_sha256 === null))
    findings.add('manifest_altered', at, 'a chain begins with number 1');
  if (isStart || manifest.sequence > task.extent.first || task.extent.gaps.has(manifest.sequence - 1)) return;
  if (sinceMs(manifest) >= Math.max(task.fromMs, task.expiredBeforeMs)) {
    findings.add(
      'manifest_missing',
      { writer: at.writer, sequence: manifest.sequence - 1 },
      'the chain begins too late',
    );
    for (const sequence of sequences(1, manifest.sequence - 1)) task.refer(`${at.writer}-${sequence}`);
  }
}

function checkTie(
  manifest: Manifest,
  before: { fileSha256: string; link: Link | null },
  at: At,
  findings: Findings,
): void {
  const previous = { writer: at.writer, sequence: at.sequence - 1 };
  if (manifest.previous_sha256 !== before.fileSha256) {
    findings.add('manifest_replaced', previous, `is not what number ${at.sequence} names`);
  }
  if (before.link !== null && manifest.after_stream_id !== before.link.manifest.last_stream_id) {
    findings.add('entries_skipped', at, 'does not begin where the batch before it ends');
  }
}

/** Objects that are not what their manifest names: are they what another one names? */
async function findStrays(
  parts: ChainParts,
  { writer, extent }: ChainTask,
  start: number,
  strays: ReadonlyMap<string, number>,
  findings: Findings,
): Promise<void> {
  for await (const read of mapConcurrent(sequences(start, extent.last), READ_WIDTH, (sequence) =>
    readLink(parts, writer, sequence),
  )) {
    if (read.found !== 'link') continue;
    const { sequence, object } = read.link.manifest;
    const stray = strays.get(object.sha256);
    if (stray === undefined || stray === sequence) continue;
    findings.add(
      'batch_misplaced',
      { writer, sequence: stray, key: object.key },
      `batch ${sequence} lies where ${stray} belongs`,
    );
  }
}
