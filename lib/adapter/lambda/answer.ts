import type { Decision } from '../../decision/outcome.ts';
import type { AuthMethod, Principal } from '../../decision/principal.ts';
import type { Reason } from '../../decision/reason.ts';
import type { Endpoint } from '../../decision/request.ts';
import type { Eventually } from '../../decision/steps.ts';
import { codeOf, denialAnswer, statusOf, type Told, toldOf } from '../../respond/denial.ts';
import { fieldValue } from '../../respond/field-value.ts';
import type { ClaimsUpstream } from '../../respond/forwarded-claims.ts';
import type { AuthorizerCall } from './events.ts';
import {
  allowOnly,
  denyEverything,
  grants,
  MAXIMUM_ANSWER_BYTES,
  type Policies,
  type PolicyDocument,
} from './policy.ts';

/** Scalars for mapping templates, parameter mappings and access logs (`$context.authorizer.…`). */
export type AuthorizerContext = Readonly<Record<string, string>>;

export type AuthorizerAnswer =
  | { readonly isAuthorized: boolean; readonly context: AuthorizerContext }
  | {
      readonly principalId: string;
      readonly policyDocument: PolicyDocument;
      readonly context: AuthorizerContext;
    };

export interface AnswerSettings {
  /** What HTTP API 2.0 expects. */
  readonly response: 'simple' | 'iam';
  /** How long API Gateway keeps an answer; 0: not at all. */
  readonly ttlSeconds: number;
}

export interface AnswerParts {
  readonly policies: Policies;
  readonly permits: (principal: Principal, row: Endpoint) => boolean;
  /**
   * What the rows that a caller may use depend on, beside the kind of credential: on the scopes alone, on more of the caller, or on
   * the time as well.
   */
  readonly permitsBy: 'scopes' | 'caller' | 'time';
  /** What of a caller's claims goes upstream; null: nothing. */
  readonly forwardedClaims: ((principal: Principal | null) => ClaimsUpstream) | null;
  readonly rateLimitFields: (decision: Decision) => readonly (readonly [string, string])[];
  /** Signed identity assertion for the upstream, or null where no key is configured. */
  readonly assertion: ((decision: Decision) => Promise<string>) | null;
}

/**
 * A denial that API Gateway can only be told by an error: exactly `Unauthorized` becomes a 401, anything else a 5xx.
 *
 * @example
 * const answer = await handler(event).catch((error) => (error instanceof AuthorizerError ? error.code : null));
 */
export class AuthorizerError extends Error {
  override readonly name = 'AuthorizerError';

  /** What programs tell the error by: `Unauthorized`, or the code of our own outage. */
  get code(): string {
    return this.message;
  }
}

/**
 * Turns a decision into what API Gateway takes. Allowed: a policy of the caller for the whole table, or `isAuthorized`. A 401 is
 * the error `Unauthorized`, our own outage an error with its code; every other denial is a refusal whose `context` tells
 * the true status. While API Gateway keeps answers, a denial that no policy of the caller expresses is `Unauthorized` too:
 * it is the one refusal that is not kept, and so cannot shut other routes. Throws {@link AuthorizerError}, and
 * PolicyTooLarge where the table does not fit.
 */
export function createAnswers(settings: AnswerSettings, parts: AnswerParts) {
  const kept = settings.ttlSeconds > 0;
  // Tokens hold one of a few lists of scopes, which are the same objects while they are remembered (`createClaimGrants`).
  const known = new WeakMap<object, KnownPolicy>();

  const policyOf = (prefix: string, principal: Principal, denial: Reason | null): PolicyDocument => {
    const { method } = principal;
    const key = parts.permitsBy === 'scopes' ? principal.scopes : principal;
    const lasting = denial === null && parts.permitsBy !== 'time';
    const last = lasting ? known.get(key) : undefined;
    if (last?.prefix === prefix && last.method === method) return last.document;
    const document = parts.policies.of(prefix, (row) => parts.permits(principal, row) && !exhausts(denial, row));
    if (lasting) known.set(key, { prefix, method, document });
    return document;
  };

  /** Null: refused, and only for this request. */
  const documentFor = ({ arn }: AuthorizerCall, { denial, principal }: Decision): PolicyDocument | null => {
    if (principal === null) return null;
    if (parts.policies.indistinct.length > 0) {
      return denial === null ? allowOnly(arn.prefix, arn.method, arn.path) : null;
    }
    const document = policyOf(arn.prefix, principal, denial);
    const contradicts = denial !== null && grants(document, `${arn.prefix}${arn.method}/${arn.path}`);
    return contradicts ? null : document;
  };

  /** Whether a denial is about the caller and the route, not about this one request. */
  const lasts = ({ denial, principal, endpoint }: Decision): boolean =>
    principal !== null &&
    (endpoint === null || denial?.reason === 'budget_exhausted' || !parts.permits(principal, endpoint));

  return (call: AuthorizerCall, decision: Decision): Eventually<AuthorizerAnswer> => {
    const { denial } = decision;
    if (denial !== null && statusOf(denial) === 401) throw new AuthorizerError('Unauthorized');
    if (denial !== null && statusOf(denial) >= 500) throw new AuthorizerError(codeOf(denial));
    const simple = call.request.door === 'lambda_http_2' && settings.response === 'simple';
    const document = simple ? null : documentFor(call, decision);
    if (kept && denial !== null && (simple ? !lasts(decision) : document === null)) {
      throw new AuthorizerError('Unauthorized');
    }
    const context = contextOf(decision, parts);
    const told = (context: AuthorizerContext): AuthorizerAnswer => {
      if (simple) return fitting({ isAuthorized: denial === null, context });
      const policyDocument = document ?? denyEverything(call.arn.prefix);
      return fitting({ principalId: decision.id, policyDocument, context });
    };
    // An answer that is kept would carry one request's assertion to others, and past its life.
    if (parts.assertion === null || denial !== null || kept) return told(context);
    return parts.assertion(decision).then((assertion) => told({ ...context, assertion }));
  };
}

interface KnownPolicy {
  readonly prefix: string;
  readonly method: AuthMethod;
  readonly document: PolicyDocument;
}

/** The scalars of one decision. An allowed one carries those of a denial too; see `elsewhere`. */
function contextOf(
  decision: Decision,
  parts: Pick<AnswerParts, 'forwardedClaims' | 'rateLimitFields'>,
): Record<string, string> {
  const { principal, boundary, denial } = decision;
  const context: Record<string, string> = {
    decisionId: decision.id,
    requestId: boundary.requestId,
    traceparent: boundary.traceparent,
    authMethod: decision.authMethod,
  };
  if (principal !== null) {
    context.subject = fieldValue(principal.subject) || NOTHING;
    context.scopes = fieldValue(principal.scopes.join(' ')) || NOTHING;
    context.issuer = fieldValue(principal.issuer ?? '') || NOTHING;
    for (const [field, value] of parts.forwardedClaims?.(principal).fields ?? [])
      context[contextName(field)] = value || NOTHING;
  }
  for (const [name, value] of parts.rateLimitFields(decision)) context[LIMIT_NAMES.get(name) ?? name] = value;
  return Object.assign(context, denial === null ? elsewhere : denialContext(denial, toldOf(decision)));
}

const LIMIT_NAMES: ReadonlyMap<string, string> = new Map([
  ['RateLimit', 'rateLimit'],
  ['RateLimit-Policy', 'rateLimitPolicy'],
]);

/** Stands for nothing: an empty value would let a field of the caller's own pass a parameter mapping. */
const NOTHING = '-';

/**
 * The name under which a forwarded claim stands in `$context.authorizer`, since such names hold letters and digits only.
 *
 * @param field - a field of `TGEFD_FORWARD_CLAIMS`, such as `x-auth-request-tenant-id`.
 * @returns the name, such as `claimTenantId`.
 */
export function contextName(field: string): string {
  const words = field.slice('x-auth-request-'.length).split('-');
  return `claim${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
}

/** Whether a budget that has run out is one that requests of this row spend from. */
function exhausts(denial: Reason | null, row: Endpoint): boolean {
  if (denial?.reason !== 'budget_exhausted' || row.budget === 'none') return false;
  return denial.budget !== 'heavy' || row.budget === 'heavy';
}

/**
 * What a gateway response may say. Every value is from a closed list and safe inside JSON, for gateway responses do not
 * escape; `challenge`, which is not, is for a header field.
 */
function denialContext(denial: Reason, told: Told) {
  const answer = denialAnswer(denial, told);
  const problem: Readonly<Record<'type' | 'title' | 'status' | 'detail' | 'code', string>> = JSON.parse(
    answer.body ?? '',
  );
  const context: Record<string, string> = {
    denialType: problem.type,
    denialTitle: problem.title,
    denialStatus: String(problem.status),
    denialDetail: problem.detail,
    denialCode: problem.code,
  };
  for (const [name, value] of answer.headers) {
    if (name === 'www-authenticate') context.challenge = value;
    if (name === 'retry-after') context.retryAfter = value;
    if (name === 'allow') context.allow = value;
  }
  return context;
}

/** For a policy that allows this request: kept, it may refuse another route with the context of this one. */
const { challenge: _, ...elsewhere } = denialContext(
  { reason: 'scope_missing', scope: '' },
  { requestId: '', authMethod: 'none' },
);

/** JSON writes a character in at most six bytes: no need to write what is short enough anyhow. */
const WORST_BYTES = 6;
const sizes = new WeakMap<PolicyDocument, number>();

function fitting(answer: AuthorizerAnswer): AuthorizerAnswer {
  let worst = 0;
  for (const name in answer.context) worst += name.length + WORST_BYTES * ((answer.context[name]?.length ?? 0) + 1);
  if ('policyDocument' in answer) worst += sizeOf(answer.policyDocument) + answer.principalId.length + 60;
  if (worst <= MAXIMUM_ANSWER_BYTES) return answer;
  if (new TextEncoder().encode(JSON.stringify(answer)).length > MAXIMUM_ANSWER_BYTES) {
    throw new AuthorizerError('answer_too_large');
  }
  return answer;
}

function sizeOf(document: PolicyDocument): number {
  const size = sizes.get(document) ?? JSON.stringify(document).length;
  sizes.set(document, size);
  return size;
}
