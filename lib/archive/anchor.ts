import { hex, sha256, utf8 } from '../codec/digest.ts';
import type { Clock } from '../decision/ports.ts';
import { listAll, type ObjectStore } from '../storage/store.ts';
import { type ChainParts, lastSequence, readLink } from './chain.ts';
import { HOUR_MS } from './layout.ts';
import { type Anchor, DOCUMENT_MAXIMUM_BYTES, MANIFEST_VERSION, parseAnchor } from './manifest.ts';
import { sealsAnchor } from './revoked-key.ts';
import type { Signer } from './signature.ts';

export interface AnchorParts extends ChainParts {
  readonly signer: Signer;
  /** A second bucket that anchors are copied to, best under another account's keys; or null. */
  readonly copies: ObjectStore | null;
  readonly clock: Clock;
}

export type AnchorRead =
  | { readonly found: 'anchor'; readonly anchor: Anchor; readonly fileSha256: string }
  | { readonly found: 'nothing' }
  | { readonly found: 'untrusted'; readonly why: 'malformed' | 'forged'; readonly fileSha256: string };

/** Reads one anchor and checks its signature. Does not follow it to the chains. */
export async function readAnchor(
  { store, verifier }: Pick<ChainParts, 'store' | 'verifier'>,
  key: string,
): Promise<AnchorRead> {
  const file = await store.read(key, DOCUMENT_MAXIMUM_BYTES);
  if (file === null) return { found: 'nothing' };
  const fileSha256 = hex(await sha256(file));
  const verified = await verifier.verify('anchor', file);
  if (verified.outcome !== 'genuine') return { found: 'untrusted', why: verified.outcome, fileSha256 };
  if (verified.seal !== null && !sealsAnchor(verified.seal, key, fileSha256))
    return { found: 'untrusted', why: 'forged', fileSha256 };
  const anchor = parseAnchor(verified.payload);
  return anchor === null
    ? { found: 'untrusted', why: 'malformed', fileSha256 }
    : { found: 'anchor', anchor, fileSha256 };
}

/** How many hours back a recent anchor is looked for before a chain is listed whole. */
const RECENT_HOURS = 3;

/** Sequence numbers that the chains are known to have reached, by an anchor of the last hours; empty where there is none. */
export async function anchoredHeads(
  parts: ChainParts & { readonly clock: Clock },
): Promise<ReadonlyMap<string, number>> {
  const hourMs = startOfHour(parts.clock());
  for (let back = 0; back < RECENT_HOURS; back++) {
    const read = await readAnchor(parts, parts.layout.anchor(hourMs - back * HOUR_MS));
    if (read.found === 'anchor') return new Map(read.anchor.heads.map(({ writer, sequence }) => [writer, sequence]));
  }
  return new Map();
}

/**
 * Sees to it that an hour has its anchor, and the second bucket its copy. The anchor names the head of every chain in the
 * bucket, including those that other archives write. A chain whose head is no genuine manifest stays unanchored and is told
 * in the answer; where no chain is, nothing is anchored.
 */
export async function writeAnchor(
  parts: AnchorParts,
  hourMs: number,
): Promise<{ readonly anchored: boolean; readonly untrusted: readonly string[] }> {
  const { store, layout, signer, copies, clock } = parts;
  const key = layout.anchor(hourMs);
  const there = await store.read(key, DOCUMENT_MAXIMUM_BYTES);
  if (there !== null) {
    await copies?.create(key, there, 'application/json');
    return { anchored: true, untrusted: [] };
  }
  const heads: Anchor['heads'] = [];
  const untrusted: string[] = [];
  for (const writer of await store.folders(layout.manifests)) {
    const sequence = await lastSequence(parts, writer, 0);
    const head = await readLink(parts, writer, sequence);
    if (head.found !== 'link') untrusted.push(writer);
    else {
      const { fileSha256, manifest } = head.link;
      heads.push({ writer, sequence, manifest_sha256: fileSha256, last_stream_id: manifest.last_stream_id });
    }
  }
  if (heads.length === 0) return { anchored: false, untrusted };
  const anchor: Anchor = {
    type: 'audit_anchor',
    version: MANIFEST_VERSION,
    hour: new Date(hourMs).toISOString(),
    created_at: new Date(clock()).toISOString(),
    heads,
    previous: await previousAnchor(store, layout.anchors, key),
  };
  const file = utf8(await signer.sign('anchor', JSON.stringify(anchor)));
  if ((await store.create(key, file, 'application/json')) === 'created')
    await copies?.create(key, file, 'application/json');
  return { anchored: true, untrusted };
}

async function previousAnchor(store: ObjectStore, prefix: string, beforeKey: string): Promise<Anchor['previous']> {
  let last: string | null = null;
  for await (const { key } of listAll(store, prefix)) if (key < beforeKey) last = key;
  const file = last === null ? null : await store.read(last, DOCUMENT_MAXIMUM_BYTES);
  return last === null || file === null ? null : { key: last, sha256: hex(await sha256(file)) };
}

/** The full hour that an instant lies in, epoch milliseconds. */
export function startOfHour(atMs: number): number {
  return Math.floor(atMs / HOUR_MS) * HOUR_MS;
}
