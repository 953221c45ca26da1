import type { Clock } from '../decision/ports.ts';
import type { RevocationKind } from '../decision/reason.ts';
import { NO_VERSION, type RevocationChanges } from './changes.ts';
import { type RevocationField, revokes } from './revocation.ts';

/**
 * What one isolate knows of the revocations, so that a decision without a trip still asks. Every trip brings the changes
 * since the version it has; where no trip is made, it is refreshed in the background of requests. It may be asked only
 * while it is fresh: complete, and read from the store no longer ago than the stated bound.
 */
export interface RevocationSnapshot {
  /** Version to ask changes for; null when the snapshot has given up (too many entries). */
  version(): string | null;
  isFresh(nowMs: number): boolean;
  /** Whether somebody should refresh it in the background now; whoever is told so is expected to. */
  refreshDue(nowMs: number): boolean;
  /** By which entry a credential is revoked, or null. Says nothing about freshness. */
  check(fields: readonly RevocationField[], issuedAtSeconds: number | null): RevocationKind | null;
  /** Takes in what a trip brought that was begun at `askedAtMs`. */
  apply(asked: string | null, changes: RevocationChanges | null, askedAtMs: number): void;
  /** For gauges: entries held, and age in milliseconds (null: never complete). */
  state(nowMs: number): { readonly entries: number; readonly ageMs: number | null };
}

export interface SnapshotSettings {
  /** No decision rests on a snapshot older than this. */
  readonly maximumDelayMs: number;
  /** Beyond this many entries there is no snapshot any more, and every decision asks the store. */
  readonly maximumEntries: number;
}

/** Longest a background refresh is waited for before another may begin; its request may have been killed. */
const REFRESH_PATIENCE_MS = 1_000;

/**
 * Holds plain data only. Nothing is asked here: `apply` is told. Ages are handed in by a clock that nobody sets; only the
 * ends of entries, which are instants, are compared with the wall clock.
 */
export function createRevocationSnapshot(settings: SnapshotSettings, clock: Clock): RevocationSnapshot {
  const { maximumDelayMs, maximumEntries } = settings;
  const entries = new Map<string, { readonly expiresAtSeconds: number; readonly beforeSeconds: number | null }>();
  let known: string | null = NO_VERSION;
  /** The store was read no earlier than this and held nothing that is missing here. */
  let completeAtMs = Number.NEGATIVE_INFINITY;
  let refreshingUntilMs = Number.NEGATIVE_INFINITY;

  return {
    version: () => known,
    isFresh: (nowMs) => nowMs - completeAtMs <= maximumDelayMs,
    refreshDue(nowMs) {
      if (known === null || nowMs - completeAtMs < maximumDelayMs / 2 || nowMs < refreshingUntilMs) return false;
      refreshingUntilMs = nowMs + REFRESH_PATIENCE_MS;
      return true;
    },
    check(fields, issuedAtSeconds) {
      if (entries.size === 0) return null;
      for (const { kind, field } of fields) {
        const entry = entries.get(field);
        if (entry !== undefined && revokes(entry, issuedAtSeconds, clock())) return kind;
      }
      return null;
    },
    apply(asked, changes, askedAtMs) {
      // Of two trips under way at once the later answer may speak of a version that is known no longer.
      if (known === null || asked !== known) return;
      if (changes === null) {
        completeAtMs = Math.max(completeAtMs, askedAtMs);
        refreshingUntilMs = Number.NEGATIVE_INFINITY;
        return;
      }
      if (changes.replace) entries.clear();
      for (const { field, expiresAtSeconds, beforeSeconds } of changes.entries) {
        if (expiresAtSeconds === null) entries.delete(field);
        else entries.set(field, { expiresAtSeconds, beforeSeconds });
      }
      if (entries.size > maximumEntries) forgetExpired(entries, clock());
      known = changes.upTo;
      if (entries.size > maximumEntries) {
        entries.clear();
        known = null;
        completeAtMs = Number.NEGATIVE_INFINITY;
        return;
      }
      refreshingUntilMs = Number.NEGATIVE_INFINITY;
      if (changes.upTo === changes.version) completeAtMs = Math.max(completeAtMs, askedAtMs);
      else if (changes.replace) completeAtMs = Number.NEGATIVE_INFINITY;
    },
    state: (nowMs) => ({
      entries: entries.size,
      ageMs: completeAtMs === Number.NEGATIVE_INFINITY ? null : nowMs - completeAtMs,
    }),
  };
}

function forgetExpired(entries: Map<string, { readonly expiresAtSeconds: number }>, nowMs: number): void {
  for (const [field, { expiresAtSeconds }] of entries) {
    if (expiresAtSeconds * 1000 <= nowMs) entries.delete(field);
  }
}
