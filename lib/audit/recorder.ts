import type { Clock, Log, RequestContext } from '../decision/ports.ts';
import type { Appended, Outbox } from './outbox.ts';
import { createOutboxHealth } from './outbox-health.ts';
import type { AuditRecord } from './schema.ts';

/** The last resort of a record whose outbox failed: object storage, as a batch of one. Rejects when it cannot be stored. */
export interface Spill {
  put(record: AuditRecord): Promise<void>;
}

export interface RecorderSettings {
  /** `strict`: the answer waits for the record. `relaxed`: the record is stored after the answer. `off`: lines only. */
  readonly mode: 'strict' | 'relaxed' | 'off';
  /** Entries in the outbox from which an alarm is logged. */
  readonly alarmDepth: number;
  /** How long a failed outbox is left alone before one record tries it again. */
  readonly outboxRestMs: number;
}

export interface RecorderParts {
  /** Null only with mode `off`. */
  readonly outbox: Outbox | null;
  /** Null where this place has no object storage at hand. */
  readonly spill: Spill | null;
  /** Where each record also goes as one JSON line, or null. Must not throw. */
  readonly line: ((line: string) => void) | null;
  /** Monotonic. */
  readonly stopwatch: Clock;
  readonly log: Log;
}

/** What became of the records so far: counted on by the next recorder of the same process. */
export interface RecorderTally {
  /** In the outbox. */
  stored: number;
  /** Straight in object storage, because the outbox failed. */
  spilled: number;
  /** Nowhere, and their answers left: relaxed mode only. */
  lost: number;
  /** Nowhere, and their requests were refused for it: strict mode only. */
  refused: number;
}

/** The same, for metrics. */
export interface RecorderCounts extends Readonly<RecorderTally> {
  /** Entries in the outbox when it last answered, or null. */
  readonly outboxDepth: number | null;
  /** Whether records find no place: the outbox is full and nothing else takes them. */
  readonly full: boolean;
}

export interface Recorder {
  /**
   * Takes the one record of a decision. Null: nothing to wait for. A promise: the answer waits for it, and `unavailable`
   * turns the answer into 503 `audit_unavailable`. Never throws and never rejects.
   */
  record(record: AuditRecord, context: RequestContext): Promise<'recorded' | 'unavailable'> | null;
  counts(): RecorderCounts;
  /** Told that the outbox has room again. */
  hasRoom(): void;
  /** Nobody takes records, so that none has to be built. */
  readonly idle: boolean;
}

/** What became of a strictly audited request whose record found no place: its line, all that is left, must not say otherwise. */
const refusedForAudit = {
  outcome: 'denied',
  status: 503,
  code: 'audit_unavailable',
  reason: 'audit_unavailable',
  reason_detail: null,
} as const;

/**
 * Makes the recorder: outbox first, object storage when that fails, then `unavailable` (strict) or a counted, logged loss
 * (relaxed). While the outbox fails, one record per `outboxRestMs` tries it and the others do not wait for it. Keeps plain
 * numbers only, so one recorder may serve all requests of a Worker.
 */
export function createRecorder(settings: RecorderSettings, parts: RecorderParts, tally: RecorderTally): Recorder {
  const { outbox, spill, line, stopwatch, log } = parts;
  if (settings.mode !== 'off' && outbox === null) throw new RangeError('records need an outbox unless the mode is off');
  const health = createOutboxHealth(settings, { stopwatch, log });

  const spillOver = async (record: AuditRecord): Promise<'recorded' | 'unavailable'> => {
    try {
      if (spill === null) throw new Error('no object storage');
      await spill.put({ ...record, degraded: [...record.degraded, 'audit_direct'] });
      tally.spilled++;
      return 'recorded';
    } catch (error) {
      const facts = { id: record.id, error: error instanceof Error ? error.name : typeof error };
      if (settings.mode === 'strict') {
        log('error', 'audit_record_refused', { ...facts, refused: ++tally.refused });
      } else {
        log('error', 'audit_record_lost', { ...facts, lost: ++tally.lost });
      }
      return 'unavailable';
    }
  };

  const store = (record: AuditRecord, text: string): Promise<'recorded' | 'unavailable'> | null => {
    if (outbox === null) return null;
    if (!health.mayTry()) return spillOver(record);
    const appended = outbox.append(text);
    if (!(appended instanceof Promise)) return settle(appended) ? null : spillOver(record);
    return appended.then((answer) => (settle(answer) ? 'recorded' : spillOver(record)));
  };
  const settle = (appended: Appended): boolean => {
    const isStored = health.note(appended);
    if (isStored) tally.stored++;
    return isStored;
  };

  return {
    record(record, context) {
      const text = JSON.stringify(record);
      const outcome = settings.mode === 'off' ? null : store(record, text);
      if (settings.mode === 'strict' && outcome !== null) {
        return outcome.then((kept) => {
          line?.(kept === 'recorded' ? text : JSON.stringify({ ...record, ...refusedForAudit }));
          return kept;
        });
      }
      line?.(text);
      if (outcome !== null) context.defer(outcome);
      return null;
    },
    idle: settings.mode === 'off' && line === null,
    counts: () => ({ ...tally, outboxDepth: health.depth(), full: health.isFull() && spill === null }),
    hasRoom: health.hasRoom,
  };
}
