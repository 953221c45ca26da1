import type { AdmissionAnswer, Budget, BudgetState } from '../decision/outcome.ts';
import type { Clock } from '../decision/ports.ts';
import type { Degradation } from '../decision/reason.ts';
import { exactly, type LeaseGrant, msUntilToken, PARTS_PER_TOKEN, type Settlement, stateOf } from './budgets.ts';
import { createMemoryBudgets } from './memory.ts';

export interface FallbackSettings {
  /** What becomes of a credential while nobody can say whether it is revoked. */
  readonly revocationOnError: 'closed' | 'open';
  /** Budgets of this process at most. */
  readonly maximumBuckets: number;
}

/** A decision that the shared store did not answer. */
export interface Unanswered {
  readonly partition: string | null;
  /** Budgets for which no token is at hand. */
  readonly budgets: readonly Budget[];
  /** Whether it is open if the credential is revoked. */
  readonly revocationUnknown: boolean;
  readonly retryAfterSeconds: number;
}

/**
 * What decides while the shared store does not answer, each thing in its own failure mode. A `closed` one closes all; an
 * `open` one lets pass, and nothing can be told of it; `local` budgets spend from buckets of this process, all or none: a
 * caller so has its budget once in every isolate, never more. Whatever let a request pass is told as a degradation.
 */
export function createFallback(settings: FallbackSettings, clock: Clock): (asked: Unanswered) => AdmissionAnswer {
  const local = createMemoryBudgets(settings, clock);
  return ({ partition, budgets, revocationUnknown, retryAfterSeconds }) => {
    const degraded: Degradation[] = [];
    if (revocationUnknown) {
      if (settings.revocationOnError === 'closed')
        return { outcome: 'unavailable', what: 'revocation', retryAfterSeconds };
      degraded.push('revocation_open');
    }
    if (budgets.some(({ onError }) => onError === 'closed')) {
      return { outcome: 'unavailable', what: 'limits', retryAfterSeconds };
    }
    const counted = budgets.filter(({ onError }) => onError === 'local');
    if (counted.length > 0) degraded.push('limits_local');
    if (counted.length < budgets.length) degraded.push('limits_open');
    const settlement = local.settle(partition ?? '', counted.map(exactly));
    const states = statesOf(counted, settlement);
    if (settlement.allowed) return { outcome: 'admitted', budgets: states, degraded };
    return { outcome: 'exhausted', ...refuserOf(counted, settlement), budgets: states, degraded };
  };
}

export function statesOf(budgets: readonly Budget[], { grants, nowMs }: Settlement): BudgetState[] {
  return budgets.map((budget, i) => stateOf(budget, grants[i]?.missing ?? 0, nowMs));
}

/** The budget that refused, and when asking again makes sense; of several the one that takes longest. */
export function refuserOf(
  budgets: readonly Budget[],
  { grants, nowMs }: Settlement,
): { readonly budget: string; readonly retryAfterSeconds: number } {
  let [name, longestMs] = ['', 0];
  for (const [i, budget] of budgets.entries()) {
    // What was leased on the same trip had no part in the refusal, and a lease of future refill begins with this token.
    const { missing, granted } = grants[i] ?? FULL;
    const waitMs = msUntilToken(missing - granted * PARTS_PER_TOKEN, budget, nowMs);
    if (waitMs > longestMs) [name, longestMs] = [budget.name, waitMs];
  }
  return { budget: name, retryAfterSeconds: Math.max(1, Math.ceil(longestMs / 1000)) };
}

const FULL: LeaseGrant = { missing: 0, granted: 0 };
