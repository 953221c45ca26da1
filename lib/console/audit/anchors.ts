import { readAnchor, startOfHour } from '../../archive/anchor.ts';
import { HOUR_MS } from '../../archive/layout.ts';
import { mapConcurrent } from '../../codec/map-concurrent.ts';
import type { OpenedArchive } from './archive.ts';

/** One hour and what its anchor says. */
export interface AnchorState {
  readonly hourMs: number;
  readonly state: 'genuine' | 'missing' | 'malformed' | 'forged';
  /** When it was made; null where it is not to be believed. */
  readonly createdMs: number | null;
  /** Chains that it holds, with the number of their last batch. */
  readonly heads: readonly { readonly writer: string; readonly sequence: number }[];
  /** Whether the second bucket has the same; null: there is no second bucket. */
  readonly isCopied: boolean | null;
}

const HOURS = 12;
const WIDTH = 6;
const MAXIMUM_BYTES = 1024 * 1024;

/** The anchors of the last hours, the latest first. Rejects where the archive fails. */
export async function latestAnchors(archive: OpenedArchive, nowMs: number): Promise<readonly AnchorState[]> {
  // The clock of an archive may be ahead, and the hour that runs may have no anchor yet: neither is missing then.
  const present = startOfHour(nowMs);
  const hours = Array.from({ length: HOURS + 2 }, (_, back) => present + (1 - back) * HOUR_MS);
  const found: AnchorState[] = [];
  for await (const state of mapConcurrent(hours, WIDTH, (hourMs) => anchorAt(archive, hourMs)))
    if (state.state !== 'missing' || state.hourMs < present) found.push(state);
  return found;
}

async function anchorAt(archive: OpenedArchive, hourMs: number): Promise<AnchorState> {
  const key = archive.layout.anchor(hourMs);
  const nothing = { hourMs, createdMs: null, heads: [] };
  const read = await readAnchor(archive, key);
  const copy = (await archive.copies?.read(key, MAXIMUM_BYTES)) ?? null;
  const isCopied = archive.copies === null ? null : copy !== null;
  if (read.found === 'nothing') return { ...nothing, state: 'missing', isCopied };
  if (read.found === 'untrusted') return { ...nothing, state: read.why, isCopied };
  const { heads, created_at: createdAt } = read.anchor;
  return { hourMs, state: 'genuine', createdMs: Date.parse(createdAt), heads, isCopied };
}
