import type { Clock, Log } from '../decision/ports.ts';
import type { Appended } from './outbox.ts';

/** What the answers of an outbox tell of it: its depth, whether it is full, and whether it is failing. Logs each change once. */
export function createOutboxHealth(
  settings: { readonly alarmDepth: number; readonly outboxRestMs: number },
  { stopwatch, log }: { readonly stopwatch: Clock; readonly log: Log },
) {
  let outboxDepth: number | null = null;
  let alarmed = false;
  let failing = false;
  let restsUntilMs = 0;
  let full = false;

  const noteDepth = (depth: number) => {
    outboxDepth = depth;
    if (depth >= settings.alarmDepth && !alarmed) log('error', 'audit_outbox_filling', { depth });
    if (depth < settings.alarmDepth / 2) alarmed = false;
    else if (depth >= settings.alarmDepth) alarmed = true;
  };
  const noteFailure = (outcome: 'full' | 'unavailable') => {
    restsUntilMs = stopwatch() + settings.outboxRestMs;
    if (!failing) log('error', outcome === 'full' ? 'audit_outbox_full' : 'audit_outbox_unavailable', { outboxDepth });
    failing = true;
  };

  return {
    depth: (): number | null => outboxDepth,
    isFull: (): boolean => full,
    hasRoom(): void {
      full = false;
      restsUntilMs = 0;
    },
    /** Whether a record may be sent. While the outbox fails, one record per rest tries it; the others do not wait. */
    mayTry(): boolean {
      if (!failing) return true;
      if (stopwatch() < restsUntilMs) return false;
      restsUntilMs = stopwatch() + settings.outboxRestMs;
      return true;
    },
    /** Notes an answer; true when the record is stored. */
    note(appended: Appended): boolean {
      if (appended.outcome !== 'unavailable') noteDepth(appended.depth);
      full = appended.outcome === 'full' || (appended.outcome === 'unavailable' && full);
      if (appended.outcome !== 'stored') {
        noteFailure(appended.outcome);
        return false;
      }
      if (failing) log('info', 'audit_outbox_recovered', { outboxDepth });
      failing = false;
      return true;
    },
  };
}
