import type { Clock } from '../decision/ports.ts';
import type { RevocationKind } from '../decision/reason.ts';
import { NO_VERSION, type RevocationChanges } from './changes.ts';
import type { Hold } from './holds.ts';
import {
  fieldOf,
  idIn,
  type Revocation,
  type RevocationField,
  type RevocationOutcome,
  type Revocations,
  revokes,
} from './revocation.ts';

const PAGE = 100;

function done<T>(value: T): RevocationOutcome<T> {
  return { done: true, value };
}

export interface MemoryRevocations extends Revocations {
  /** Whether it holds no entry at all, in force or not. */
  isEmpty(): boolean;
  /** By which of these entries a credential is revoked, or null. */
  lookUp(fields: readonly RevocationField[], issuedAtSeconds: number | null): RevocationKind | null;
  /** What changed since a version, or null when nothing did. */
  changesSince(version: string): RevocationChanges | null;
  /** Accounts that events have held, by field. */
  readonly holds: Map<string, Hold>;
  /** The entry in force under a field, or null. */
  entryOf(field: string): Revocation | null;
  /** Puts an entry in the place of what is there, also an older one; null: nothing. */
  replace(field: string, entry: Revocation | null): void;
}

interface Kept {
  readonly entry: Revocation;
  readonly removed: boolean;
  /** Version in which it last changed. */
  readonly turn: number;
}

/** Revocations of one process, under raw ids: for development and tests. Bounded by what its callers add. */
export function createMemoryRevocations(clock: Clock): MemoryRevocations {
  // In the order of the last change. What was taken back stays until it would have expired, so that changes can tell of it.
  const kept = new Map<string, Kept>();
  const holds = new Map<string, Hold>();
  let turn = 0;

  const put = (entry: Revocation, removed: boolean) => {
    const field = fieldOf(entry.kind, entry.id);
    kept.delete(field);
    kept.set(field, { entry, removed, turn: ++turn });
  };
  const inForce = (field: string): Revocation | null => {
    const found = kept.get(field);
    if (found === undefined) return null;
    if (found.entry.expiresAtSeconds * 1000 > clock()) return found.removed ? null : found.entry;
    kept.delete(field);
    return null;
  };

  const isRevoked = (field: string, issuedAtSeconds: number | null): boolean => {
    const entry = inForce(field);
    return entry !== null && revokes(entry, issuedAtSeconds, clock());
  };

  const remove: Revocations['remove'] = async (kind, id) => {
    const entry = inForce(fieldOf(kind, id));
    holds.delete(fieldOf(kind, id));
    if (entry !== null) put(entry, true);
    return done(entry !== null);
  };

  return {
    holds,
    entryOf: inForce,
    replace(field, entry) {
      const before = inForce(field);
      if (entry !== null) put({ ...entry, id: idIn(field) }, false);
      else if (before !== null) put(before, true);
    },
    isEmpty: () => kept.size === 0,
    lookUp: (fields, issuedAtSeconds) =>
      kept.size === 0 ? null : (fields.find(({ field }) => isRevoked(field, issuedAtSeconds))?.kind ?? null),
    changesSince: (known) => (known === `${turn}` ? null : changesSince(kept, known, `${turn}`)),
    async add(entry) {
      const field = fieldOf(entry.kind, entry.id);
      const grown = { ...merged(inForce(field), entry), id: idIn(field) };
      put(grown, false);
      const hold = holds.get(field);
      if (hold?.held) holds.set(field, withCutOff(hold, entry));
      return done(grown);
    },
    remove,
    removeListed: remove,
    async find(kind, id) {
      return done(inForce(fieldOf(kind, id)));
    },
    async list(cursor) {
      const after = cursor === null ? 0 : Number(cursor);
      const later = [...kept].filter(([field, { turn }]) => turn > after && inForce(field) !== null);
      return done(pageOf(later.map(([, found]) => found)));
    },
  };
}

function changesSince(kept: ReadonlyMap<string, Kept>, known: string, version: string): RevocationChanges {
  const entries = [...kept].flatMap(([field, { entry, removed, turn }]) => {
    if (turn <= Number(known)) return [];
    const { expiresAtSeconds, beforeSeconds } = entry;
    return [{ field, expiresAtSeconds: removed ? null : expiresAtSeconds, beforeSeconds }];
  });
  return { version, upTo: version, replace: known === NO_VERSION, entries };
}

function pageOf(later: readonly Kept[]) {
  const page = later.slice(0, PAGE);
  const last = page.at(-1);
  return {
    entries: page.map(({ entry }) => entry),
    next: later.length > page.length && last ? `${last.turn}` : null,
  };
}

function merged(known: Revocation | null, entry: Revocation): Revocation {
  if (known === null) return entry;
  return {
    ...entry,
    beforeSeconds: entry.beforeSeconds === null ? null : Math.max(known.beforeSeconds ?? 0, entry.beforeSeconds),
    expiresAtSeconds: Math.max(known.expiresAtSeconds, entry.expiresAtSeconds),
  };
}

/** A hold whose end leaves a further cut-off in force. */
function withCutOff(hold: Hold, { beforeSeconds, expiresAtSeconds }: Revocation): Hold {
  const cutOffSeconds = Math.max(hold.cutOffSeconds, beforeSeconds ?? 0);
  const cutOffExpiresAtSeconds = Math.max(hold.cutOffExpiresAtSeconds, expiresAtSeconds);
  return { ...hold, cutOffSeconds, cutOffExpiresAtSeconds };
}
