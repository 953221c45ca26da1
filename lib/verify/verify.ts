import { type ChainParts, readLink } from '../archive/chain.ts';
import { extentOf } from '../archive/range.ts';
import { listAll, type ObjectStore } from '../storage/store.ts';
import { verifyAnchors } from './anchors.ts';
import { type ChainSeen, verifyChain } from './chain.ts';
import { createFindings, type Finding, type Findings } from './findings.ts';

export interface VerifySettings {
  /** Batches that hold entries of this time range, epoch milliseconds; null: from the beginning, to the end. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Objects of before then may have expired; their absence is no finding. 0: nothing expires. */
  readonly expiredBeforeMs: number;
}

export interface VerifyParts extends ChainParts {
  /** The second bucket with copies of the anchors, or null. */
  readonly copies: ObjectStore | null;
  /** Told the number of records seen so far, once a batch. */
  readonly progress?: (records: number) => void;
}

export interface VerifyReport {
  readonly integrity: 'intact' | 'violated';
  readonly completeness: 'intact' | 'violated';
  readonly order: 'intact' | 'violated';
  readonly findings: readonly Finding[];
  readonly findingsLeftOut: number;
  readonly chains: readonly ChainSeen[];
  readonly batches: number;
  readonly records: number;
  readonly anchors: number;
  /** When the newest anchor was made: what was archived since rests on the signing key alone. */
  readonly anchoredUntilMs: number | null;
}

/**
 * Verifies an archive, or a copy of one, against the public keys of its signers: separate verdicts on integrity,
 * completeness and order, and every piece that is wrong by name. Needs the bucket and the keys only. Rejects when the store
 * fails; damage never makes it reject.
 * Does not show: batches cut off the end that no anchor names yet; records that somebody with the signing key forged before
 * signing, or that never reached the outbox.
 */
export async function verifyArchive(settings: VerifySettings, parts: VerifyParts): Promise<VerifyReport> {
  const { store, layout } = parts;
  const fromMs = settings.fromMs ?? 0;
  const toMs = settings.toMs ?? Number.POSITIVE_INFINITY;
  const findings = createFindings();
  const anchors = await verifyAnchors(parts, findings, fromMs, settings.expiredBeforeMs);
  const written = await store.folders(layout.manifests);
  const referred = new Set<string>();
  const ends = new Map<string, number>();
  const chains: ChainSeen[] = [];
  let records = 0;

  for (const writer of [...new Set([...written, ...anchors.chains.keys()])].sort()) {
    const extent = await extentOf(parts, writer);
    if (extent === null) {
      const head = Math.max(...(anchors.chains.get(writer)?.keys() ?? [0]));
      findings.add('writer_missing', { writer }, `anchors know its manifests up to ${head}`);
      for (let sequence = 1; sequence <= head; sequence++) referred.add(`${writer}-${sequence}`);
      continue;
    }
    ends.set(writer, extent.last);
    const task = {
      writer,
      extent,
      anchored: anchors.chains.get(writer) ?? new Map<number, string>(),
      fromMs,
      toMs,
      expiredBeforeMs: settings.expiredBeforeMs,
      refer: (key: string) => referred.add(key),
      progress: (seen: number) => parts.progress?.(records + seen),
    };
    const seen = await verifyChain(parts, task, findings);
    records += seen.records;
    chains.push(seen);
  }
  if (settings.fromMs === null && settings.toMs === null) await findForeign(parts, referred, ends, findings);

  return {
    integrity: findings.verdict('integrity'),
    completeness: findings.verdict('completeness'),
    order: findings.verdict('order'),
    findings: findings.list,
    findingsLeftOut: findings.leftOut(),
    chains,
    batches: chains.reduce((sum, { batches }) => sum + batches, 0),
    records,
    anchors: anchors.count,
    anchoredUntilMs: anchors.newestMs,
  };
}

/**
 * Batches that no genuine manifest names. One past the end of its chain is an archive at work, or stopped in its work; more of
 * them, with their manifests, are what an archive has done since the chain was walked.
 */
async function findForeign(
  parts: VerifyParts,
  referred: ReadonlySet<string>,
  ends: ReadonlyMap<string, number>,
  findings: Findings,
): Promise<void> {
  const { store, layout } = parts;
  for await (const { key } of listAll(store, layout.batches)) {
    const [, writer, digits] = /\/([^/]+)-(\d{10})\.ndjson\.gz$/.exec(key) ?? [];
    const sequence = Number(digits);
    if (referred.has(key) || referred.has(`${writer}-${sequence}`)) continue;
    const past = writer === undefined ? 0 : sequence - (ends.get(writer) ?? 0);
    if (past === 1 || (writer !== undefined && past > 1 && (await isNamed(parts, writer, sequence, key)))) continue;
    findings.add('batch_foreign', { key }, 'no genuine manifest names it');
  }
}

async function isNamed(parts: VerifyParts, writer: string, sequence: number, key: string): Promise<boolean> {
  const read = await readLink(parts, writer, sequence);
  if (read.found === 'link') return read.link.manifest.object.key === key;
  if (read.found !== 'nothing') return false;
  const before = await readLink(parts, writer, sequence - 1);
  return before.found === 'link'; // One past the end that the chain has by now.
}
