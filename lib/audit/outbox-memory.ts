import type { Clock } from '../decision/ports.ts';
import {
  type ArchiveLock,
  compareIds,
  type Entry,
  entryBytes,
  type Outbox,
  type Source,
  storedAtMs,
  type Tail,
} from './outbox.ts';

export interface MemoryOutboxSettings {
  /** Entries it may hold before it answers `full`. */
  readonly maximumEntries: number;
}

/**
 * An outbox in memory, for development and tests: what is in it dies with the process. The clock should be one that nobody
 * sets, so that leases end and entries age whatever becomes of the wall clock.
 */
export function createMemoryOutbox(settings: MemoryOutboxSettings, clock: Clock): Outbox & Source & ArchiveLock & Tail {
  let entries: Entry[] = [];
  let lastMs = 0;
  let sequence = 0;
  let lease: { readonly holder: string; readonly untilMs: number } | null = null;

  const nextId = () => {
    const nowMs = Math.max(lastMs, clock());
    sequence = nowMs === lastMs ? sequence + 1 : 0;
    lastMs = nowMs;
    return `${nowMs}-${sequence}`;
  };

  return {
    append(record) {
      if (entries.length >= settings.maximumEntries) return { outcome: 'full', depth: entries.length };
      entries.push({ id: nextId(), record });
      return { outcome: 'stored', depth: entries.length };
    },
    async read(storedBeforeMs, maximumBytes) {
      const taken: Entry[] = [];
      let bytes = 0;
      for (const entry of entries) {
        bytes += entryBytes(entry);
        if (storedAtMs(entry.id) > storedBeforeMs || (taken.length > 0 && bytes > maximumBytes)) break;
        taken.push(entry);
      }
      return taken;
    },
    async backlog() {
      const [oldest] = entries;
      return { entries: entries.length, oldestMs: oldest === undefined ? null : storedAtMs(oldest.id) };
    },
    now: async () => Math.max(lastMs, clock()),
    async remove(ids) {
      const gone = new Set(ids);
      entries = entries.filter(({ id }) => !gone.has(id));
    },
    async acquire(holder, forMs) {
      if (lease !== null && lease.holder !== holder && lease.untilMs > clock()) return false;
      lease = { holder, untilMs: clock() + forMs };
      return true;
    },
    async release(holder) {
      if (lease?.holder === holder) lease = null;
    },
    async follow(afterId, limit) {
      const lastId = `${lastMs}-${sequence}`;
      if (afterId === null) return { entries: [], lastId };
      const found = entries.filter(({ id }) => compareIds(id, afterId) > 0).slice(0, limit);
      return { entries: found, lastId: found.at(-1)?.id ?? afterId };
    },
  };
}
