import { createRecentMap } from '../codec/recent-map.ts';
import type { Clock } from '../decision/ports.ts';
import { HELD_BEFORE_SECONDS } from '../revoke/holds.ts';
import type { MemoryRevocations } from '../revoke/memory.ts';
import { fieldOf, type Revocation } from '../revoke/revocation.ts';
import { type EventChange, type EventStore, HOLD_SECONDS } from './event-store.ts';

const MAXIMUM_EVENTS = 100_000;

/** Events that become revocations of one process: for development and tests. Does what the script for Redis does. */
export function createMemoryEvents(revocations: MemoryRevocations, clock: Clock): EventStore {
  const seen = createRecentMap<true>({ maximumEntries: MAXIMUM_EVENTS });

  return {
    async apply({ key, changes, reason }) {
      if (seen.get(key)) return { done: true, value: 'repeated' };
      seen.set(key, true);
      const nowSeconds = Math.floor(clock() / 1000);
      const changed = changes.map((change) => applied(revocations, change, reason, nowSeconds)).some(Boolean);
      return { done: true, value: changed ? 'applied' : 'unchanged' };
    },
  };
}

/** Applies one change; whether anything is another than before. */
function applied(revocations: MemoryRevocations, change: EventChange, reason: string, nowSeconds: number): boolean {
  const { holds } = revocations;
  const { action, kind, id, atSeconds, beforeSeconds, expiresAtSeconds } = change;
  const field = fieldOf(kind, id);
  const hold = holds.get(field);
  const put = (before: number | null, expires: number) => {
    const entry: Revocation = {
      ...{ kind, id, beforeSeconds: before, expiresAtSeconds: expires },
      ...{ reason, createdAtSeconds: nowSeconds, by: 'event' },
    };
    revocations.replace(field, entry);
  };
  const note = (held: boolean, at: number, cutOffSeconds: number, cutOffExpiresAtSeconds: number) =>
    void holds.set(field, { held, atSeconds: at, cutOffSeconds, cutOffExpiresAtSeconds });

  if (action === 'free') {
    if (hold?.held && atSeconds >= hold.atSeconds) {
      if (hold.cutOffExpiresAtSeconds > nowSeconds) put(hold.cutOffSeconds, hold.cutOffExpiresAtSeconds);
      else revocations.replace(field, null);
      note(false, atSeconds, 0, 0);
      return true;
    }
    if (!hold?.held && (hold === undefined || atSeconds > hold.atSeconds)) note(false, atSeconds, 0, 0);
    return false;
  }
  const known = revocations.entryOf(field);
  const cutOff = known === null || known.beforeSeconds === HELD_BEFORE_SECONDS ? 0 : (known.beforeSeconds ?? 0);
  const before = beforeSeconds ?? 0;
  if (action === 'hold' && (hold === undefined || atSeconds >= hold.atSeconds)) {
    const kept = hold?.held ? hold.cutOffSeconds : cutOff;
    const keptUntil = hold?.held ? hold.cutOffExpiresAtSeconds : cutOff === 0 ? 0 : (known?.expiresAtSeconds ?? 0);
    put(HELD_BEFORE_SECONDS, nowSeconds + HOLD_SECONDS);
    note(true, atSeconds, Math.max(kept, before), Math.max(keptUntil, expiresAtSeconds));
    return true;
  }
  if (hold?.held) {
    if (before <= hold.cutOffSeconds && expiresAtSeconds <= hold.cutOffExpiresAtSeconds) return false;
    const until = Math.max(hold.cutOffExpiresAtSeconds, expiresAtSeconds);
    note(true, hold.atSeconds, Math.max(hold.cutOffSeconds, before), until);
    return true;
  }
  if (action === 'hold' || expiresAtSeconds <= nowSeconds) return false;
  const expires = Math.max(expiresAtSeconds, known?.expiresAtSeconds ?? 0);
  put(beforeSeconds === null ? null : Math.max(before, cutOff), expires);
  return true;
}
