/** What became of one append. `full`: the bound is reached and nothing was stored. `unavailable`: no answer in time, or an
 * error; the entry may have been stored all the same. */
export type Appended =
  | { readonly outcome: 'stored'; readonly depth: number }
  | { readonly outcome: 'full'; readonly depth: number }
  | { readonly outcome: 'unavailable' };

/**
 * The durable queue between decisions and the archive, as a decision sees it. Never throws: an outage is an answer. Never
 * drops what it holds to make room.
 */
export interface Outbox {
  /** Stores one record (a JSON text of one line). Without a promise where storing needs no trip. */
  append(record: string): Appended | Promise<Appended>;
}

export interface Entry {
  /** `<milliseconds>-<suffix>`: ascending in the order of storing. */
  readonly id: string;
  readonly record: string;
}

/**
 * A queue as the archive sees it. Entries stay until removed, and only the archive removes. A rejected promise is an outage:
 * the run ends, and the next one takes up where it left.
 */
export interface Source {
  /** The oldest entries, ascending: those stored at `storedBeforeMs` or before, up to `maximumBytes` (at least one entry,
   * if there is one). */
  read(storedBeforeMs: number, maximumBytes: number): Promise<readonly Entry[]>;
  /** Number of entries, and when the oldest was stored (null: empty). */
  backlog(): Promise<{ readonly entries: number; readonly oldestMs: number | null }>;
  /** The clock that ids are made by, in milliseconds since the epoch. */
  now(): Promise<number>;
  /** Removes entries; ids that are not there any more are no error. */
  remove(ids: readonly string[]): Promise<void>;
}

/** The right to archive a source for a while. Spares double work only: correctness never rests on it. */
export interface ArchiveLock {
  /** Takes or prolongs it; false where another holds it. */
  acquire(holder: string, forMs: number): Promise<boolean>;
  release(holder: string): Promise<void>;
}

/** A queue as somebody sees it who only looks on. */
export interface Tail {
  /** Entries after an id (null: from now on), oldest first. */
  follow(
    afterId: string | null,
    limit: number,
  ): Promise<{ readonly entries: readonly Entry[]; readonly lastId: string }>;
}

/** How many bytes an entry takes in a batch, at most: its record and its position. */
export function entryBytes(entry: Entry): number {
  return entry.record.length + POSITION_BYTES;
}
const POSITION_BYTES = 256;

const idPattern = /^(\d{1,20})-(.+)$/;
const isNumber = /^\d+$/;

/** When an entry was stored, by its id: epoch milliseconds. Throws a RangeError on what is no entry id. */
export function storedAtMs(id: string): number {
  const match = idPattern.exec(id);
  if (match === null) throw new RangeError('an entry id is <milliseconds>-<suffix>');
  return Number(match[1]);
}

/** Order of two entry ids: by time, then by suffix (as numbers where both are, as Redis counts). Negative, zero, positive. */
export function compareIds(left: string, right: string): number {
  const byTime = storedAtMs(left) - storedAtMs(right);
  if (byTime !== 0) return byTime;
  const a = left.slice(left.indexOf('-') + 1);
  const b = right.slice(right.indexOf('-') + 1);
  if (isNumber.test(a) && isNumber.test(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
