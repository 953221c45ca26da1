import type { RevocationKind } from '../decision/reason.ts';
import type { MemoryBudgets } from '../limit/memory.ts';
import type { MemoryRevocations } from '../revoke/memory.ts';
import type { MemoryProofs } from './memory-proofs.ts';
import type { SharedStore } from './shared-store.ts';

/** The store of a process that shares nothing: development without Redis, and tests. */
export function createMemoryStore(
  budgets: MemoryBudgets,
  revocations: MemoryRevocations,
  proofs: MemoryProofs,
): SharedStore {
  return {
    nothingRevoked: () => revocations.isEmpty(),
    ask({ partition, demands, fields, issuedAtSeconds, knownVersion, proof }) {
      const by: RevocationKind | null = revocations.lookUp(fields, issuedAtSeconds);
      if (by !== null) return { found: 'revoked', by };
      const use = proof === undefined ? 'first' : proofs.use(proof);
      if (use === 'again') return { found: 'replayed' };
      if (use === 'full') return { found: 'nothing', retryAfterSeconds: 1 };
      const settlement = budgets.settle(partition ?? '', demands);
      return {
        found: 'settled',
        settlement,
        changes: knownVersion === null ? null : revocations.changesSince(knownVersion),
      };
    },
  };
}
