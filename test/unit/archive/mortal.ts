import type { ArchiveParts } from '../../../lib/archive/run.ts';

/** What a kill does to the call it strikes: it comes before its effect, or after it and before its answer. */
export type Strike = 'before' | 'after';

export class Killed extends Error {
  override readonly name = 'Killed';
}

/**
 * The parts of an archive process that dies at its `strikeAt`-th call: that call and all later ones reject, as nothing comes
 * from a dead process. `calls` tells how many were made. With `survives`, only the one call rejects: an answer was lost.
 */
export function mortal(parts: ArchiveParts, strikeAt: number, strike: Strike, survives = false) {
  const state = { calls: 0 };
  const guard = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      state.calls++;
      const mine = state.calls;
      const struck = mine === strikeAt || (mine > strikeAt && !survives);
      if (struck && (strike === 'before' || mine > strikeAt)) throw new Killed();
      const result = await call(...args);
      if (struck) throw new Killed();
      return result;
    };
  };
  const { source, lease, store, signer, verifier } = parts;
  const wrapped: ArchiveParts = {
    ...parts,
    source: {
      read: guard(source.read),
      backlog: guard(source.backlog),
      now: source.now,
      remove: guard(source.remove),
    },
    lease: { acquire: guard(lease.acquire), release: guard(lease.release) },
    store: {
      create: guard(store.create),
      read: guard(store.read),
      list: guard(store.list),
      folders: guard(store.folders),
      remove: guard(store.remove),
    },
    signer: { sign: guard(signer.sign) },
    verifier: { verify: guard(verifier.verify) },
  };
  return { parts: wrapped, state };
}
