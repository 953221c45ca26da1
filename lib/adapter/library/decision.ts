import type { Principal } from '../../decision/principal.ts';
import type { Code } from '../../decision/reason.ts';
import type { Decided } from '../../http/decided.ts';
import { webAnswer } from '../../http/web-response.ts';
import { codeOf, statusOf } from '../../respond/denial.ts';

type Fields = readonly (readonly [string, string])[];

/** Who calls, as an application may use it. */
export interface AuthorizedPrincipal {
  readonly subject: string;
  /** Issuer of the token; null for every other method. */
  readonly issuer: string | null;
  /** Granted scopes, roles already mapped; `*` stands for every endpoint scope. */
  readonly scopes: readonly string[];
  readonly method: 'jwt' | 'mtls' | 'api_key' | 'none';
}

/** What every decision says, allowed or not. */
interface DecisionFacts {
  /** Id of the decision, the same as in the audit record. */
  readonly decisionId: string;
  readonly requestId: string;
  /** Fields that belong on the application's answer: the request id, and what is left of the budgets. */
  readonly headers: readonly (readonly [string, string])[];
}

/** The decision about one request, its record as durable as the audit mode demands. */
export type AuthorizerDecision =
  | (DecisionFacts & { readonly allowed: true; readonly principal: AuthorizedPrincipal })
  | (DecisionFacts & {
      readonly allowed: false;
      /** Who calls, where that was found out. */
      readonly principal: AuthorizedPrincipal | null;
      readonly status: number;
      /** What the caller may learn. */
      readonly code: Code;
      /** What the operator may learn: for your log, not for the caller. */
      readonly reason: string;
      /** The answer for the caller: problem details (RFC 9457) with challenge and limits. */
      response(): Response;
    });

const NOBODY: AuthorizedPrincipal = { subject: '', issuer: null, scopes: [], method: 'none' };

/** A decision as an application sees it. */
export function decisionFor(decided: Decided, limits: Fields, cors: Fields): AuthorizerDecision {
  const { id: decisionId, boundary, principal } = decided.decision;
  const facts = {
    decisionId,
    requestId: boundary.requestId,
    headers: [['x-request-id', boundary.requestId], ...limits, ...cors] as const,
  };
  const caller = principal === null ? null : principalFor(principal);
  if (decided.denial === null) return { ...facts, allowed: true, principal: caller ?? NOBODY };
  const { answer, denial } = decided;
  return {
    ...facts,
    allowed: false,
    principal: caller,
    status: statusOf(denial),
    code: codeOf(denial),
    reason: denial.reason,
    response: () => webAnswer({ ...answer, headers: [...answer.headers, ...cors] }),
  };
}

function principalFor({ subject, issuer, scopes, method }: Principal): AuthorizedPrincipal {
  return { subject, issuer, scopes, method };
}
