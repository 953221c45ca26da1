import type { Clock } from '../../decision/ports.ts';
import { type VerifyReport, verifyArchive } from '../../verify/verify.ts';
import type { OpenedArchive } from './archive.ts';
import type { Range } from './range.ts';

/** What came of a verification. */
export interface Verified {
  readonly report: VerifyReport;
  readonly range: Range;
  readonly atMs: number;
  readonly tookMs: number;
}

/** The verifications of a process: plain data, which any request of a Worker may use. */
export interface VerificationMemo {
  last: Verified | null;
  /** When the one that runs last said how far it is; null: none runs. */
  aliveMs: number | null;
}

export function newVerificationMemo(): VerificationMemo {
  return { last: null, aliveMs: null };
}

/** One that says nothing for so long was cut off with its request. */
const SILENT_MS = 60_000;

export function isRunning({ aliveMs }: VerificationMemo, nowMs: number): boolean {
  return aliveMs !== null && nowMs - aliveMs < SILENT_MS;
}

export interface VerifyTask {
  readonly memo: VerificationMemo;
  readonly archive: OpenedArchive;
  readonly range: Range;
  /** Days after which objects expire; null: never. */
  readonly keptDays: number | null;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;

/**
 * Verifies a range and remembers what came of it. Rejects where the archive fails, or where `progress` throws.
 *
 * @param task - the archive and the range.
 * @param progress - told the number of records so far, batch by batch.
 */
export async function verifyRange(task: VerifyTask, progress: (records: number) => void): Promise<Verified> {
  const { memo, archive, range, keptDays, clock } = task;
  const startedMs = clock();
  memo.aliveMs = startedMs;
  try {
    const expiredBeforeMs = keptDays === null ? 0 : startedMs - keptDays * DAY_MS;
    const report = await verifyArchive(
      { ...range, expiredBeforeMs },
      {
        ...archive,
        progress(records) {
          memo.aliveMs = clock();
          progress(records);
        },
      },
    );
    memo.last = { report, range, atMs: clock(), tookMs: clock() - startedMs };
    return memo.last;
  } finally {
    memo.aliveMs = null;
  }
}

const TOLD_EVERY_MS = 150;

/** The same as lines of JSON while it runs: how far it is, then that it is done or failed. Ends where nobody reads on. */
export function verifyEvents(task: VerifyTask): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let isRead = true;
  let toldMs = 0;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const tell = (line: object) => controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      const progress = (records: number) => {
        if (!isRead) throw new DOMException('nobody reads on', 'AbortError');
        if (task.clock() - toldMs < TOLD_EVERY_MS) return;
        toldMs = task.clock();
        tell({ state: 'running', records });
      };
      // Not awaited: the answer begins before the verification ends.
      void verifyRange(task, progress).then(
        () => end({ state: 'done' }),
        () => end({ state: 'failed' }),
      );
      function end(line: object): void {
        if (!isRead) return;
        tell(line);
        controller.close();
      }
    },
    cancel() {
      isRead = false;
    },
  });
}
