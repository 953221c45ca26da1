import type { RevocationOutcome } from '../revoke/revocation.ts';

/** What one event changes among the revocations. */
export interface EventChange {
  /** `cut`: what was issued before is refused. `hold`: everything is, until `free`, which leaves the cut-offs in force. */
  readonly action: 'cut' | 'hold' | 'free';
  readonly kind: 'sub' | 'jti';
  /** In the form that decisions look for. */
  readonly id: string;
  /** When the event happened, whole epoch seconds: of two that contradict each other the later holds. */
  readonly atSeconds: number;
  /** Cut-off of a subject; null for a token. */
  readonly beforeSeconds: number | null;
  /** When nothing that the cut-off refuses can be valid any more. */
  readonly expiresAtSeconds: number;
}

/** One event that was verified. */
export interface StoredEvent {
  /** Name under which it is remembered: a hash. */
  readonly key: string;
  readonly changes: readonly EventChange[];
  /** What people are told of the entries. */
  readonly reason: string;
}

/** `repeated`: the event was applied before. `unchanged`: a later event had said otherwise, or nothing was left to do. */
export type Applied = 'applied' | 'unchanged' | 'repeated';

/** Where events become revocations. Applies an event whole and once, or not at all. Never throws: an outage is an answer. */
export interface EventStore {
  apply(event: StoredEvent): Promise<RevocationOutcome<Applied>>;
}

/** How long an event is remembered. A later repetition changes nothing either, since later events have the say. */
export const EVENT_MEMORY_SECONDS = 14 * 24 * 3600;
/** How long a hold lasts that nobody releases. */
export const HOLD_SECONDS = 10 * 366 * 24 * 3600;
/** How long the release of a hold is remembered against an older hold that arrives late. */
export const RELEASE_MEMORY_SECONDS = 400 * 24 * 3600;
