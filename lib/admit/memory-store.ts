import type { RevocationKind } from '../decision/reason.ts';
import type { MemoryBudgets } from '../limit/memory.ts';
import type { MemoryRevocations } from '../revoke/memory.ts';
import type { SharedStore } from './shared-store.ts';

/** The store of a process that shares nothing: development without Redis, and tests. */
export function createMemoryStore(budgets: MemoryBudgets, revocations: MemoryRevocations): SharedStore {
  return {
    ask({ partition, demands, fields, issuedAtSeconds, knownVersion }) {
      const by: RevocationKind | null = revocations.lookUp(fields, issuedAtSeconds);
      if (by !== null) return { found: 'revoked', by };
      const settlement = budgets.settle(partition ?? '', demands);
      return {
        found: 'settled',
        settlement,
        changes: knownVersion === null ? null : revocations.changesSince(knownVersion),
      };
    },
  };
}
