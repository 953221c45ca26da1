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
  /** The oldest entries, ascending: those stored at `storedBeforeMs` or before, up to `maximumBytes` of record text (at least
   * one entry, if there is one). */
  read(storedBeforeMs: number, maximumBytes: number): Promise<readonly Entry[]>;
  /** Number of entries, and when the oldest was stored (null: empty). */
  backlog(): Promise<{ readonly entries: number; readonly oldestMs: number | null }>;
  /** Removes entries; ids that are not there any more are no error. */
  remove(ids: readonly string[]): Promise<void>;
  /** Takes the right to archive this source for a while, or answers false where another holds it. Spares double work only:
   * correctness never rests on it. */
  acquire(holder: string, forMs: number): Promise<boolean>;
  release(holder: string): Promise<void>;
  /** Entries after an id (null: from now on), oldest first, for looking on. */
  follow(
    afterId: string | null,
    limit: number,
  ): Promise<{ readonly entries: readonly Entry[]; readonly lastId: string }>;
}

const idPattern = /^(\d{1,20})-(.+)$/;

/** When an entry was stored, by its id: epoch milliseconds. Throws a RangeError on what is no entry id. */
export const storedAtMs = (id: string): number => {
  const match = idPattern.exec(id);
  if (match === null) throw new RangeError('an entry id is <milliseconds>-<suffix>');
  return Number(match[1]);
};

/** Order of two entry ids: by time, then by suffix (as numbers where both are, as Redis counts). Negative, zero, positive. */
export const compareIds = (left: string, right: string): number => {
  const byTime = storedAtMs(left) - storedAtMs(right);
  if (byTime !== 0) return byTime;
  const a = left.slice(left.indexOf('-') + 1);
  const b = right.slice(right.indexOf('-') + 1);
  const byNumber = Number(a) - Number(b);
  if (!Number.isNaN(byNumber)) return byNumber;
  return a < b ? -1 : a > b ? 1 : 0;
};
