import type { ArchiveLock } from '../audit/outbox.ts';
import type { ObjectStore } from '../storage/store.ts';

/** The run under way, by which the lease is held. */
export interface Holding {
  holder: string | null;
}

/**
 * A store whose `create` is not atomic, made safe by the archive's lease: it is renewed before each object is written, and a
 * run that has lost it writes nothing more. Two archives could then write one object only if one of them stood still between
 * the renewal and the end of its write for longer than the lease; versions of the bucket keep both, and `audit verify` tells.
 * Other stores are given back as they are.
 */
export function leasedStore(
  store: ObjectStore,
  lease: Pick<ArchiveLock, 'acquire'>,
  { leaseMs, holding }: { readonly leaseMs: number; readonly holding: Holding },
): ObjectStore {
  if (store.needsLease !== true) return store;
  return {
    ...store,
    async create(key, bytes, contentType) {
      const { holder } = holding;
      if (holder === null || !(await lease.acquire(holder, leaseMs))) throw new Error(`PUT ${key}: the lease was lost`);
      return store.create(key, bytes, contentType);
    },
  };
}
