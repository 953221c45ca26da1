import type { AdmissionAnswer, AdmissionQuestion, Budget } from '../decision/outcome.ts';
import type { Clock, RequestContext } from '../decision/ports.ts';
import { exactly } from '../limit/budgets.ts';
import { createFallback, type FallbackSettings, refuserOf, statesOf } from '../limit/fallback.ts';
import type { RevocationField } from '../revoke/revocation.ts';
import type { AdmissionFinding, SharedStore } from './shared-store.ts';

/** An admission question whose revocation handles are already names in a store. */
export interface NamedQuestion {
  readonly partition: string | null;
  readonly budgets: readonly Budget[];
  readonly fields: readonly RevocationField[];
  readonly issuedAtSeconds: number | null;
  readonly proof?: AdmissionQuestion['proof'];
}

export type Admit = (question: NamedQuestion, context: RequestContext) => AdmissionAnswer | Promise<AdmissionAnswer>;

/** Asks the shared store for every decision, once: revocation and all budgets. */
export function createExactAdmission(settings: FallbackSettings, store: SharedStore, clock: Clock): Admit {
  const fallback = createFallback(settings, clock);
  const answer = ({ partition, budgets, fields, proof }: NamedQuestion, finding: AdmissionFinding): AdmissionAnswer => {
    switch (finding.found) {
      case 'revoked':
        return { outcome: 'revoked', by: finding.by };
      case 'replayed':
        return { outcome: 'replayed' };
      case 'nothing':
        return fallback({
          partition,
          budgets,
          revocationUnknown: fields.length > 0 || proof !== undefined,
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

  return (question) => {
    const { partition, budgets, fields, issuedAtSeconds, proof } = question;
    const demands = budgets.map(exactly);
    const finding = store.ask({ partition, demands, fields, issuedAtSeconds, knownVersion: null, proof });
    return finding instanceof Promise ? finding.then((found) => answer(question, found)) : answer(question, finding);
  };
}
