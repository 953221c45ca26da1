import type { Budget } from '../decision/outcome.ts';
import type { RequestContext } from '../decision/ports.ts';
import { type Demand, exactly, msUntilToken } from './budgets.ts';
import { createMemoryBudgets } from './memory.ts';

/** Failed authentications of one address, counted in this process. */
export interface Failures {
  /** Whole seconds until the address may fail again, or null while it may. Spends nothing. */
  exhausted(addressPartition: string, nowMs: number): number | null;
  /** Counts one failure; what has to be told to others is told behind the answer. */
  spend(addressPartition: string, nowMs: number, context?: Pick<RequestContext, 'defer'>): void;
}

/**
 * The budget of failed authentications, so that guessing costs neither a key fetch nor a trip to Redis. Synchronous, per
 * process (shared-failures.ts adds the count of all of them), bounded: when more than
 * `maximumAddresses` are failing at once, an address not seen before counts as exhausted. Whoever owns that many networks
 * can thus turn a stranger's 401 into a 429, never keep a valid credential out. `perMinute` 0 is off.
 */
export function createFailures(settings: { readonly perMinute: number; readonly maximumAddresses: number }): Failures {
  const { perMinute } = settings;
  if (perMinute === 0) return { exhausted: () => null, spend: () => {} };

  let now = 0;
  const budgets = createMemoryBudgets({ maximumBuckets: settings.maximumAddresses }, () => now);
  const budget: Budget = { name: 'address', perMinute, burst: perMinute, onError: 'local' };
  const look: Demand = { ...exactly(budget), need: 0 };
  const settle = (demand: Demand, addressPartition: string, nowMs: number): number => {
    now = Math.floor(nowMs);
    return msUntilToken(budgets.settle(addressPartition, [demand]).grants[0]?.missing ?? 0, budget, now);
  };

  return {
    exhausted(addressPartition, nowMs) {
      if (budgets.isFull(addressPartition, budget.name)) return null;
      const waitMs = settle(look, addressPartition, nowMs);
      return waitMs === 0 ? null : Math.ceil(waitMs / 1000);
    },
    spend(addressPartition, nowMs) {
      settle(exactly(budget), addressPartition, nowMs);
    },
  };
}
