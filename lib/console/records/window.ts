import type { Source, Tail } from '../../audit/outbox.ts';
import { type AuditRecord, auditRecordSchema } from '../../audit/schema.ts';
import type { Clock } from '../../decision/ports.ts';

/** The latest records that still stand in the outbox: plain data, which any request of a Worker may use. */
export interface RecordWindow {
  /** Reads what is new. Says whether the outbox answered; what was read before stays. */
  refresh(): Promise<WindowState>;
  state(): WindowState;
}

export interface WindowState {
  /** Oldest first. */
  readonly records: readonly AuditRecord[];
  /** From when on the window is whole, epoch milliseconds. */
  readonly fromMs: number;
  /** When the outbox last answered; null: it never did. */
  readonly readAtMs: number | null;
  /** Whether the last question was answered. */
  readonly isAnswering: boolean;
}

export const WINDOW_MS = 15 * 60_000;
const MAXIMUM_RECORDS = 20_000;
const PAGE = 1_000;
/** Several readers at once cost one trip. */
const FRESH_MS = 800;
/** A reading that has not ended by then never will. */
const GIVEN_UP_MS = 10_000;

/** A window over the outbox, which is asked only while somebody looks. Never rejects and never removes an entry. */
export function createRecordWindow(outbox: Tail & Source, clock: Clock): RecordWindow {
  let records: AuditRecord[] = [];
  let fromMs = 0;
  let lastId: string | null = null;
  let readAtMs: number | null = null;
  let isAnswering = true;
  let readingSinceMs: number | null = null;

  const begin = async (nowMs: number): Promise<string> => {
    fromMs = startOf(await outbox.backlog(), nowMs);
    records = [];
    return `${fromMs}-0`;
  };
  const drop = (nowMs: number) => {
    const edgeMs = nowMs - WINDOW_MS;
    const excess = Math.max(0, records.length - MAXIMUM_RECORDS);
    let gone = excess;
    while (gone < records.length && Date.parse(records[gone]?.ts ?? '') < edgeMs) gone++;
    if (gone === 0) return;
    if (excess > 0) fromMs = Date.parse(records[gone]?.ts ?? '') || nowMs;
    records = records.slice(gone);
    fromMs = Math.max(fromMs, edgeMs);
  };
  const read = async (nowMs: number) => {
    const isCold = lastId === null || readAtMs === null || nowMs - readAtMs > WINDOW_MS;
    let afterId: string = isCold || lastId === null ? await begin(nowMs) : lastId;
    for (let pages = 0; pages < MAXIMUM_RECORDS / PAGE; pages++) {
      const page = await outbox.follow(afterId, PAGE);
      if (readingSinceMs !== nowMs) return; // Another has taken over meanwhile.
      for (const { record } of page.entries) records.push(...parsedRecord(record));
      afterId = page.lastId;
      if (page.entries.length < PAGE) break;
    }
    lastId = afterId;
  };
  // On Workers a reader whose browser has gone is stopped where it stands: another takes over.
  const isReading = (nowMs: number) => readingSinceMs !== null && nowMs - readingSinceMs < GIVEN_UP_MS;
  const state = () => ({ records, fromMs, readAtMs, isAnswering });

  return {
    state,
    async refresh() {
      const nowMs = clock();
      if (isReading(nowMs) || (readAtMs !== null && isAnswering && nowMs - readAtMs < FRESH_MS)) return state();
      readingSinceMs = nowMs;
      const answered = await read(nowMs).then(
        () => true,
        () => false,
      );
      if (readingSinceMs !== nowMs) return state();
      readingSinceMs = null;
      isAnswering = answered;
      if (answered) readAtMs = nowMs;
      drop(nowMs);
      return state();
    },
  };
}

/** From when on a window is read. Of a busy outbox it is so much of the time as holds the records that may be kept. */
function startOf({ entries, oldestMs }: Awaited<ReturnType<Source['backlog']>>, nowMs: number): number {
  const spanMs = oldestMs === null ? 0 : Math.max(1, nowMs - oldestMs);
  const keptMs = entries > MAXIMUM_RECORDS ? (spanMs * MAXIMUM_RECORDS) / entries : WINDOW_MS;
  return Math.floor(nowMs - Math.min(WINDOW_MS, keptMs));
}

/** The record of an entry; none where it has another shape. */
function parsedRecord(text: string): AuditRecord[] {
  const { data } = auditRecordSchema.safeParse(jsonOf(text));
  return data === undefined ? [] : [data];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
