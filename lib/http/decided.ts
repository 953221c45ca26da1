import type { Decision } from '../decision/outcome.ts';
import type { Enforce } from '../decision/pipeline.ts';
import type { RequestContext } from '../decision/ports.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest } from '../decision/request.ts';
import { after, type Eventually } from '../decision/steps.ts';
import { type Answer, denialAnswer, statusOf, toldOf } from '../respond/denial.ts';

type Fields = readonly (readonly [string, string])[];

export interface DecidingParts {
  readonly enforce: Enforce;
  rateLimitFields(decision: Decision): Fields;
  /** Fields that keep callers on TLS, for our own answers. */
  transportFields(secure: boolean | null): Fields;
}

/** A decision whose record is durable, and the answer to it where it is a denial. */
export type Decided =
  | { readonly decision: Decision; readonly denial: null }
  | { readonly decision: Decision; readonly denial: Reason; readonly answer: Answer };

/**
 * Decides for whoever only asks (a proxy, an application) and forwards by itself. Waits until the record is as durable
 * as the audit mode demands; when it cannot be, that is the denial. Makes no promise where there is nothing to wait for.
 */
export function decide(parts: DecidingParts, request: AccessRequest, context: RequestContext): Eventually<Decided> {
  return after(parts.enforce(request, context), (enforced) =>
    after(enforced.recorded, (kept) => {
      const { decision, watch } = enforced;
      const denial: Reason | null =
        kept === 'unavailable' ? { reason: 'audit_unavailable', retryAfterSeconds: 5 } : decision.denial;
      watch?.answered(decision, denial ? statusOf(denial) : 200, null, context);
      return denial === null ? { decision, denial } : denied(parts, decision, denial);
    }),
  );
}

function denied(parts: DecidingParts, decision: Decision, denial: Reason): Decided {
  const answer = denialAnswer(denial, toldOf(decision), [
    ...parts.rateLimitFields(decision),
    ...parts.transportFields(decision.boundary.secure),
  ]);
  return { decision, denial, answer };
}
