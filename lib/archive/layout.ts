/** Where things lie in the bucket, below the configured prefix. */
export interface Layout {
  /** `batches/year=…/month=…/day=…/hour=…/<writer>-<sequence>.ndjson.gz` */
  batch(writer: string, sequence: number, atMs: number): string;
  /** `manifests/<writer>/<sequence>.json` */
  manifest(writer: string, sequence: number): string;
  /** `manifests/<writer>/` */
  manifestsOf(writer: string): string;
  readonly manifests: string;
  readonly batches: string;
  /** `anchors/year=…/month=…/day=…/hour=….json` */
  anchor(hourMs: number): string;
  readonly anchors: string;
  /** `spill/year=…/month=…/day=…/hour=…/minute=…/<ms>-<decision id>.json` */
  spilled(entryId: string, atMs: number): string;
  /** Everything spilled by decisions of that minute. */
  spilledAt(atMs: number): string;
  readonly spill: string;
}

/** Digits of a sequence number in a key, so that keys sort as numbers do. */
const SEQUENCE_DIGITS = 10;
export const HOUR_MS = 3_600_000;

/** Sequence number in the key of a manifest, or null where the key is none's. */
export function sequenceInKey(key: string): number | null {
  const match = /\/(\d{10})\.json$/.exec(key);
  return match === null ? null : Number(match[1]);
}

/** Lays out a bucket under `prefix` (no slash at either end; empty: the bucket's root). */
export function createLayout(prefix: string): Layout {
  const root = prefix === '' ? '' : `${prefix}/`;
  return {
    batch: (writer, sequence, atMs) => `${root}batches/${hourPath(atMs)}/${writer}-${digits(sequence)}.ndjson.gz`,
    manifest: (writer, sequence) => `${root}manifests/${writer}/${digits(sequence)}.json`,
    manifestsOf: (writer) => `${root}manifests/${writer}/`,
    manifests: `${root}manifests/`,
    batches: `${root}batches/`,
    anchor: (hourMs) => `${root}anchors/${hourPath(hourMs)}.json`,
    anchors: `${root}anchors/`,
    spilled: (entryId, atMs) => `${root}spill/${minutePath(atMs)}/${entryId}.json`,
    spilledAt: (atMs) => `${root}spill/${minutePath(atMs)}/`,
    spill: `${root}spill/`,
  };
}

function digits(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}

/** Hive-style partition of an instant, UTC, to the hour. */
function hourPath(atMs: number): string {
  const text = new Date(atMs).toISOString();
  return `year=${text.slice(0, 4)}/month=${text.slice(5, 7)}/day=${text.slice(8, 10)}/hour=${text.slice(11, 13)}`;
}

function minutePath(atMs: number): string {
  return `${hourPath(atMs)}/minute=${new Date(atMs).toISOString().slice(14, 16)}`;
}
