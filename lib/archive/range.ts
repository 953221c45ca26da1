import { storedAtMs } from '../audit/outbox.ts';
import { listAll } from '../storage/store.ts';
import { type ChainParts, readLink } from './chain.ts';
import { sequenceInKey } from './layout.ts';
import type { Manifest } from './manifest.ts';

/** Sequence numbers that a chain has manifests for. */
export interface Extent {
  readonly first: number;
  readonly last: number;
  /** Numbers between the two without a manifest. */
  readonly gaps: ReadonlySet<number>;
}

/** Lists a chain; null where it has no manifest at all. */
export async function extentOf({ store, layout }: ChainParts, writer: string): Promise<Extent | null> {
  let first: number | null = null;
  let last = 0;
  const gaps = new Set<number>();
  for await (const { key } of listAll(store, layout.manifestsOf(writer))) {
    const sequence = sequenceInKey(key);
    if (sequence === null) continue;
    first ??= sequence;
    for (let missing = last === 0 ? sequence : last + 1; missing < sequence; missing++) gaps.add(missing);
    last = sequence;
  }
  return first === null ? null : { first, last, gaps };
}

/** Sequence numbers from one to another, both included. */
export function* sequences(first: number, last: number): Generator<number> {
  for (let sequence = first; sequence <= last; sequence++) yield sequence;
}

/** Time until which a batch holds everything of its outbox, epoch milliseconds. */
export function untilMs(manifest: Manifest): number {
  return manifest.last_stream_id === null ? 0 : storedAtMs(manifest.last_stream_id);
}

/** Time from which on it does; 0 for the first batch of a chain. */
export function sinceMs(manifest: Manifest): number {
  return manifest.after_stream_id === null ? 0 : storedAtMs(manifest.after_stream_id);
}

/** The first sequence number whose batch reaches `fromMs` or later. Looks by halves; a manifest that cannot be trusted is
 * passed over for its next neighbour. */
export async function firstReaching(
  parts: ChainParts,
  writer: string,
  extent: Extent,
  fromMs: number,
): Promise<number> {
  let low = extent.first;
  let high = extent.last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    let probe = middle;
    let reaches: boolean | null = null;
    for (; probe < high && reaches === null; probe++) {
      const read = await readLink(parts, writer, probe);
      if (read.found === 'link') reaches = untilMs(read.link.manifest) >= fromMs;
    }
    if (reaches === false) low = probe;
    else high = middle;
  }
  return low;
}
