import type { AdmissionQuestion, BudgetState, Decision } from './outcome.ts';
import type { DecisionObserver, RequestContext } from './ports.ts';
import type { AuthMethod, Principal, RevocationHandles } from './principal.ts';
import type { Degradation, Reason } from './reason.ts';
import type { AccessRequest, Boundary, ChallengeSettings, HeaderFields, McpMessage, Route } from './request.ts';

/** One request on its way: what it is, and what the steps have found so far. A denial keeps what was found. */
export interface Walk {
  readonly request: AccessRequest;
  readonly context: RequestContext;
  readonly id: string;
  readonly atMs: number;
  /** The same moment by the monotonic clock: for durations. */
  readonly startedMs: number;
  /** Who takes the time of stages and wants to hear of the answer; null where nobody does. */
  readonly watch: DecisionObserver | null;
  boundary: Boundary;
  /** What is wrong with the forwarded fields; told once the endpoint is known, so that the record can name it. */
  boundaryDenial: Reason | null;
  path: string | null;
  query: string;
  route: Route;
  principal: Principal | null;
  /** The proof of possession that this decision uses. */
  proof: AdmissionQuestion['proof'];
  /** The token came with the scheme `DPoP`. */
  byProof: boolean;
  /** The kind of credential that was looked at, where it is known. */
  authMethod: AuthMethod | null;
  /** What the message asks for, where a message decides about the row. */
  message: McpMessage | null;
  /** What is wrong with the fields of the message; told once the caller is known. */
  messageDenial: Reason | null;
  /** Why the caller may not, found by authorization; told once admission has answered. */
  refusal: Reason | null;
  budgets: readonly BudgetState[];
  degraded: readonly Degradation[];
  /** Leaves the place among the requests under way; null where none was taken. */
  leave: (() => void) | null;
}

export function beginWalk(
  request: AccessRequest,
  context: RequestContext,
  id: string,
  { atMs, startedMs }: Pick<Walk, 'atMs' | 'startedMs'>,
  watch: DecisionObserver | null,
): Walk {
  return {
    request,
    context,
    id,
    atMs,
    startedMs,
    watch,
    boundary: unknownBoundary(id),
    boundaryDenial: null,
    path: null,
    query: '',
    route: NOWHERE,
    principal: null,
    proof: undefined,
    byProof: false,
    authMethod: null,
    message: null,
    messageDenial: null,
    refusal: null,
    budgets: NOTHING,
    degraded: NOTHING,
    leave: null,
  };
}

const NOWHERE: Route = { found: 'nothing' };
const NOTHING: readonly never[] = [];

export function decisionOf(
  walk: Walk,
  { denial, wouldDeny, shadow }: Pick<Decision, 'denial' | 'wouldDeny' | 'shadow'>,
  { authMode, challenge = null }: { readonly authMode: AuthMethod; readonly challenge?: ChallengeSettings | null },
  latencyMs: number,
): Decision {
  const { request, route } = walk;
  return {
    id: walk.id,
    atMs: walk.atMs,
    latencyMs,
    door: request.door,
    method: request.method,
    path: walk.path,
    query: walk.query,
    endpoint: route.found === 'endpoint' ? route.endpoint : null,
    pattern: patternOf(route),
    boundary: walk.boundary,
    authMethod: walk.authMethod ?? authMode,
    challenge,
    byProof: walk.byProof,
    principal: walk.principal,
    denial,
    wouldDeny,
    shadow,
    budgets: walk.budgets,
    degraded: walk.degraded,
  };
}

function patternOf(route: Route): string | null {
  if (route.found === 'endpoint') return route.endpoint.pattern;
  return route.found === 'nothing' ? null : route.pattern;
}

/** What could revoke a principal, or null where nothing can. */
export function revocable(principal: Principal): RevocationHandles | null {
  return principal.method === 'none'
    ? null
    : {
        tokenId: principal.tokenId,
        ...subjectsOf(principal),
        issuer: principal.issuer,
        issuedAtSeconds: principal.issuedAtSeconds,
        keyId: principal.method === 'jwt' ? principal.keyId : null,
        thumbprint: principal.thumbprint,
        apiKeyId: principal.method === 'api_key' ? principal.keyId : null,
      };
}

function subjectsOf({ subject, revocable: texts }: Principal): Pick<RevocationHandles, 'subject' | 'aliases'> {
  if (texts === undefined) return { subject };
  const [first, ...aliases] = texts;
  return { subject: first ?? null, aliases };
}

const noFields: HeaderFields = { get: () => null, *[Symbol.iterator]() {} };

function unknownBoundary(requestId: string): Boundary {
  return {
    trustedHop: false,
    believed: noFields,
    clientAddress: null,
    addressPartition: null,
    secure: null,
    host: null,
    requestId,
    traceparent: '',
    parentSpanId: null,
    ingressIdentity: null,
  };
}
