import { readAnchor } from '../archive/anchor.ts';
import type { ChainParts } from '../archive/chain.ts';
import { HOUR_MS } from '../archive/layout.ts';
import { mapConcurrent } from '../codec/map-concurrent.ts';
import { listAll, type ObjectStore } from '../storage/store.ts';
import { type Findings, FORGED } from './findings.ts';

/** What the anchors say of one chain: sequence number → hash of the manifest that stood there. */
export type AnchoredChain = ReadonlyMap<number, string>;

export interface AnchorsSeen {
  readonly chains: ReadonlyMap<string, AnchoredChain>;
  readonly count: number;
  /** When the newest anchor was made, epoch milliseconds; null without any. */
  readonly newestMs: number | null;
}

const READ_WIDTH = 8;

/**
 * Walks the anchors from an hour on: each must be genuine, stand under its hour, and name the one before it by hash. Copies
 * in a second bucket are held against them: an anchor that only the copy still has counts as missing, one that differs as
 * altered, and what it says of the chains counts all the same.
 */
export async function verifyAnchors(
  parts: ChainParts & { readonly copies: ObjectStore | null },
  findings: Findings,
  fromMs: number,
  expiredBeforeMs: number,
): Promise<AnchorsSeen> {
  const { store, layout, verifier, copies } = parts;
  const chains = new Map<string, Map<number, string>>();
  const start = layout.anchor(Math.max(0, fromMs - HOUR_MS));
  const floorKey = layout.anchor(Math.max(0, fromMs - HOUR_MS, expiredBeforeMs));
  let count = 0;
  let newestMs: number | null = null;

  const note = (heads: readonly { writer: string; sequence: number; manifest_sha256: string }[]) => {
    for (const { writer, sequence, manifest_sha256: sha256 } of heads) {
      const chain = chains.get(writer) ?? new Map<number, string>();
      chain.set(sequence, sha256);
      chains.set(writer, chain);
    }
  };

  const seen = new Map<string, string>();
  const keys = keysFrom(store, layout.anchors, start);
  for await (const { key, read } of mapConcurrent(keys, READ_WIDTH, async (key) => ({
    key,
    read: await readAnchor(parts, key),
  }))) {
    if (read.found === 'nothing') continue;
    count++;
    if (read.found === 'untrusted') {
      const kind = read.why === 'forged' ? 'anchor_forged' : 'anchor_altered';
      findings.add(kind, { key }, read.why === 'forged' ? FORGED : 'is no anchor any more');
    } else {
      const { hour, created_at: createdAt, previous, heads } = read.anchor;
      if (layout.anchor(Date.parse(hour)) !== key)
        findings.add('anchor_misplaced', { key }, `is the anchor of ${hour}`);
      newestMs = Date.parse(createdAt);
      note(heads);
      checkPrevious(previous, seen, key, floorKey, findings);
    }
    seen.set(key, read.fileSha256);
  }

  if (copies !== null) {
    for await (const key of keysFrom(copies, layout.anchors, start)) {
      const copy = await readAnchor({ store: copies, verifier }, key);
      if (copy.found !== 'anchor') continue;
      note(copy.anchor.heads);
      const original = seen.get(key);
      if (original === undefined) findings.add('anchor_missing', { key }, 'only its copy is there');
      else if (original !== copy.fileSha256) findings.add('anchor_altered', { key }, 'differs from its copy');
    }
  }
  return { chains, count, newestMs };
}

async function* keysFrom(store: ObjectStore, prefix: string, start: string): AsyncGenerator<string> {
  for await (const { key } of listAll(store, prefix, start)) yield key;
}

/** `floorKey`: what sorts up to it lies before the range or has expired. An anchor that none names is no finding: it is
 * genuine, and two archives at once may both follow the same one. */
function checkPrevious(
  claimed: { readonly key: string; readonly sha256: string } | null,
  seen: ReadonlyMap<string, string>,
  key: string,
  floorKey: string,
  findings: Findings,
): void {
  if (claimed === null) return;
  const sha256 = seen.get(claimed.key);
  if (sha256 === undefined) {
    if (claimed.key > floorKey) findings.add('anchor_missing', { key: claimed.key }, `named by ${key}`);
  } else if (claimed.sha256 !== sha256)
    findings.add('anchor_altered', { key: claimed.key }, `is not what ${key} names`);
}
