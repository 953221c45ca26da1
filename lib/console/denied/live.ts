import { summarize } from '../records/summary.ts';
import { type RecordWindow, WINDOW_MS } from '../records/window.ts';
import { liveSummary } from './view.tsx';

const TICK_MS = 1_000;
/** The browser asks again after this, and is decided about again: a revoked operator sees no more. */
export const STREAM_MS = 30_000;

/** The present summary as JSON text. */
export async function liveText(records: RecordWindow, nowMs: number): Promise<string> {
  return JSON.stringify(liveSummary(summarize(await records.refresh(), nowMs, WINDOW_MS)));
}

/**
 * Server-sent events with one summary a second, until their time is over, the browser goes away or the process stops. One
 * event costs the same however many records a second there are.
 */
export function liveEvents(parts: {
  readonly records: RecordWindow;
  readonly clock: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly endsAtMs: number;
  readonly stopping: Pick<AbortSignal, 'aborted'>;
}): ReadableStream<Uint8Array> {
  const { records, clock, sleep, endsAtMs, stopping } = parts;
  const encoder = new TextEncoder();
  let isOpen = true;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isOpen) return;
      if (stopping.aborted || clock() >= endsAtMs) return controller.close();
      controller.enqueue(encoder.encode(`retry: 200\ndata: ${await liveText(records, clock())}\n\n`));
      await sleep(TICK_MS);
    },
    cancel() {
      isOpen = false;
    },
  });
}
