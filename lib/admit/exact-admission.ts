import type { AdmissionAnswer, Budget, Clock, RequestContext } from '../decision.ts';
import { exactly } from './budgets.ts';
import { createFallback, type FallbackSettings, refuserOf, statesOf } from './fallback.ts';
import type { RevocationField } from './revocations.ts';
import type { SharedStore } from './shared-store.ts';

/** An admission question whose revocation handles are already names in a store. */
export interface NamedQuestion {
  readonly partition: string | null;
  readonly budgets: readonly Budget[];
  readonly fields: readonly RevocationField[];
  readonly issuedAtSeconds: number | null;
}

export type Admit = (question: NamedQuestion, context: RequestContext) => AdmissionAnswer | Promise<AdmissionAnswer>;

/** Asks the shared store for every decision, once: revocation and all budgets. */
export function createExactAdmission(settings: FallbackSettings, store: SharedStore, clock: Clock): Admit {
  const fallback = createFallback(settings, clock);
  return async ({ partition, budgets, fields, issuedAtSeconds }) => {
    const demands = budgets.map(exactly);
    const finding = await store.ask({ partition, demands, fields, issuedAtSeconds, knownVersion: null });
    switch (finding.found) {
      case 'revoked':
        return { outcome: 'revoked', by: finding.by };
      case 'nothing':
        return fallback({
          partition,
          budgets,
          revocationUnknown: fields.length > 0,
          retryAfterSeconds: finding.retryAfterSeconds,
        });
      case 'settled': {
        const { settlement } = finding;
        const states = statesOf(budgets, settlement);
        if (settlement.allowed) return { outcome: 'admitted', budgets: states, degraded: [] };
        return { outcome: 'exhausted', ...refuserOf(budgets, settlement), budgets: states, degraded: [] };
      }
    }
  };
}
