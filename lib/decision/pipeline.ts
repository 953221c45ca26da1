import type { Budget, BudgetState, Decision, Stage } from './outcome.ts';
import type { Admission, Clock, DecisionObserver, Log, NewId, RequestContext } from './ports.ts';
import type { Authentication, AuthMethod, Principal, RevocationHandles } from './principal.ts';
import type { Degradation, PathProblem, Reason } from './reason.ts';
import type { AccessRequest, Boundary, Endpoint, HeaderFields, RequestSource, Route } from './request.ts';

type Eventually<T> = T | Promise<T>;

/** The rooms that a decision walks through, each behind the smallest shape that the policy needs of it. */
export interface Steps {
  /** Which hop speaks, and what may be believed of its fields. */
  examine(
    request: AccessRequest,
    nowMs: number,
  ): Eventually<{ readonly boundary: Boundary; readonly denial: Reason | null }>;
  /** One strict canonical path. */
  canonicalTarget(target: string): { ok: true; path: string; query: string } | { ok: false; problem: PathProblem };
  route(method: string, path: string): Route;
  authenticate(
    request: AccessRequest,
    boundary: Boundary,
    context: RequestContext,
    mayFetchKeys: boolean,
  ): Eventually<Authentication>;
  authorize(principal: Principal, route: Route): Reason | null;
  budgetsFor(principal: Principal, endpoint: Endpoint): readonly Budget[];
  /** Failed authentications of one address. */
  failures: {
    exhausted(addressPartition: string, nowMs: number): number | null;
    spend(addressPartition: string, nowMs: number): void;
  };
  pseudonym(kind: 'identity' | 'address', value: string): Eventually<string>;
  admission: Admission;
  /** Writes the one record; the promise settles when it is as durable as the audit mode demands. */
  record(decision: Decision, context: RequestContext): Promise<'recorded' | 'unavailable'> | null;
}

export interface EnforceSettings {
  readonly authMode: AuthMethod;
  /** Refuse callers whose own connection is known to be plain HTTP. */
  readonly requireTls: boolean;
  /** Longest declared request body, or 0 for no limit. */
  readonly maximumBodyBytes: number;
  /** Whether the gateway has somewhere to forward to; without it, only our own endpoints exist there. */
  readonly forwards: boolean;
}

/** A decision and the fate of its record. The answer must not leave before `recorded` has settled well. */
export interface Enforced {
  readonly decision: Decision;
  readonly recorded: Promise<'recorded' | 'unavailable'> | null;
  /** Who wants to hear of the answer; null where nobody looks on. */
  readonly watch: DecisionObserver | null;
}

export type Enforce = (request: AccessRequest, context: RequestContext) => Promise<Enforced>;

/** What the steps have found so far; a denial keeps what earlier steps found. */
interface Findings {
  boundary: Boundary;
  path: string | null;
  query: string;
  route: Route;
  principal: Principal | null;
  budgets: readonly BudgetState[];
  degraded: readonly Degradation[];
  /** Takes the time: a stage ends here. */
  readonly mark: (stage: Stage) => void;
}

/**
 * The decision, top to bottom: boundary, endpoint, authenticate, authorize, admit, record. Any step may deny; later
 * steps are then skipped, the record never is. A bug anywhere is a denial `internal_error` (503), recorded like any other.
 * Does not answer and does not forward: doors do.
 */
export function createEnforce(
  settings: EnforceSettings,
  steps: Steps,
  parts: {
    readonly clock: Clock;
    readonly newId: NewId;
    readonly log: Log;
    readonly watch?: (() => DecisionObserver) | null;
  },
): Enforce {
  // A remembered token has one principal, frozen: what could revoke it is worked out once.
  const known = new WeakMap<Principal, RevocationHandles | null>();
  const handlesOf = (principal: Principal): RevocationHandles | null => {
    const handles = known.get(principal) ?? revocable(principal);
    known.set(principal, handles);
    return handles;
  };

  const verdict = async (
    request: AccessRequest,
    findings: Findings,
    atMs: number,
    context: RequestContext,
  ): Promise<Reason | null> => {
    const examined = await steps.examine(request, atMs);
    const boundary = examined.boundary;
    findings.boundary = boundary;
    context.explain?.('boundary', boundary.trustedHop ? 'a trusted hop speaks' : 'the caller speaks itself', {
      client: boundary.clientAddress,
      secure: boundary.secure,
    });

    if (request.refused) return request.refused;
    const target = steps.canonicalTarget(request.target);
    if (!target.ok) return { reason: 'path_ambiguous', problem: target.problem };
    if (asksOnly.has(request.door) && `${target.path}${target.query}` !== request.target)
      return { reason: 'path_ambiguous', problem: 'not_canonical' };
    findings.path = target.path;
    findings.query = target.query;
    findings.route = reachable(steps.route(request.method, target.path), request, settings);
    context.explain?.('endpoint', explainRoute(findings.route), { path: target.path });

    if (examined.denial) return examined.denial;
    if (settings.requireTls && boundary.secure === false) return { reason: 'transport_insecure' };

    findings.mark('boundary');
    const address = boundary.addressPartition;
    const throttledSeconds = address === null ? null : steps.failures.exhausted(address, atMs);
    const authentication = await steps.authenticate(request, boundary, context, throttledSeconds === null);
    findings.mark('authenticate');
    if (authentication.outcome === 'unavailable') return authentication;
    if (authentication.outcome === 'refused') {
      if (!failedToProve(authentication.reason)) return authentication.reason;
      if (throttledSeconds !== null) return { reason: 'authentication_throttled', retryAfterSeconds: throttledSeconds };
      if (address !== null) steps.failures.spend(address, atMs);
      return authentication.reason;
    }
    const principal = authentication.principal;
    findings.principal = principal;
    findings.degraded = authentication.degraded;
    context.explain?.('authenticate', 'the caller is known', { method: principal.method, key_id: principal.keyId });

    const refusal = steps.authorize(principal, findings.route) ?? declaredBodyRefusal(request, settings);
    context.explain?.('authorize', refusal ? `refused: ${refusal.reason}` : 'permitted', {
      scopes: principal.scopes.join(' '),
    });

    const budgets =
      refusal || findings.route.found !== 'endpoint' ? [] : steps.budgetsFor(principal, findings.route.endpoint);
    const admitted = await steps.admission.admit(
      {
        partition: budgets.length > 0 ? await partitionOf(principal, boundary, steps) : null,
        budgets,
        revocation: handlesOf(principal),
      },
      context,
    );
    findings.mark('admit');
    context.explain?.('admit', admitted.outcome, { budgets: budgets.map(({ name }) => name).join(' ') });
    switch (admitted.outcome) {
      case 'revoked':
        if (address !== null) steps.failures.spend(address, atMs);
        return { reason: 'credential_revoked', by: admitted.by };
      case 'unavailable':
        return (
          refusal ?? {
            reason: admitted.what === 'limits' ? 'limits_unavailable' : 'revocation_unavailable',
            retryAfterSeconds: admitted.retryAfterSeconds,
          }
        );
      case 'exhausted':
        findings.budgets = admitted.budgets;
        findings.degraded = [...findings.degraded, ...admitted.degraded];
        return (
          refusal ?? {
            reason: 'budget_exhausted',
            budget: admitted.budget,
            retryAfterSeconds: admitted.retryAfterSeconds,
          }
        );
      case 'admitted':
        findings.budgets = admitted.budgets;
        if (admitted.degraded.length > 0) findings.degraded = [...findings.degraded, ...admitted.degraded];
        return refusal;
    }
  };

  return async (request, context) => {
    const atMs = parts.clock();
    const id = parts.newId();
    const watch = parts.watch?.() ?? null;
    const findings: Findings = {
      boundary: unknownBoundary(id),
      path: null,
      query: '',
      route: { found: 'nothing' },
      principal: null,
      budgets: [],
      degraded: [],
      mark: watch?.mark ?? unwatched,
    };
    let denial: Reason | null;
    try {
      denial = await verdict(request, findings, atMs, context);
    } catch (error) {
      parts.log('error', 'decision_failed', {
        decision_id: id,
        error: error instanceof Error ? error.name : typeof error,
      });
      denial = { reason: 'internal_error' };
    }
    const { route } = findings;
    const decision: Decision = {
      id,
      atMs,
      latencyMs: parts.clock() - atMs,
      door: request.door,
      method: request.method,
      path: findings.path,
      query: findings.query,
      endpoint: route.found === 'endpoint' ? route.endpoint : null,
      pattern:
        route.found === 'endpoint' ? route.endpoint.pattern : route.found === 'other_methods' ? route.pattern : null,
      boundary: findings.boundary,
      authMethod: settings.authMode,
      principal: findings.principal,
      denial,
      budgets: findings.budgets,
      degraded: findings.degraded,
    };
    context.explain?.('decide', denial ? `denied: ${denial.reason}` : 'allowed', {});
    const recorded = steps.record(decision, context);
    watch?.decided(decision, recorded, context);
    return { decision, recorded, watch };
  };
}

/** Doors whose proxy forwards what it received itself: there only a canonical spelling is what we matched. */
const asksOnly: ReadonlySet<RequestSource> = new Set(['nginx', 'traefik', 'caddy', 'envoy']);

/**
 * Our own endpoints exist at the gateway only, where no proxy can send them on to the upstream; all others exist at the
 * gateway only where it forwards.
 */
function reachable(route: Route, { door }: AccessRequest, { forwards }: EnforceSettings): Route {
  if (route.found === 'nothing') return route;
  const own = route.found === 'endpoint' ? route.endpoint.own : route.own;
  if (own) return door === 'gateway' ? route : { found: 'nothing' };
  return door !== 'gateway' || forwards ? route : { found: 'nothing' };
}

function explainRoute(route: Route): string {
  switch (route.found) {
    case 'endpoint':
      return `${route.endpoint.action} (${route.endpoint.method} ${route.endpoint.pattern})`;
    case 'other_methods':
      return `${route.pattern}, but only ${route.allow.join(', ')}`;
    case 'nothing':
      return 'no row of the endpoint table matches';
  }
}

/** Whether a refusal is a failed proof (401), not a request that nobody should have sent (400) or a known caller without grant (403). */
function failedToProve({ reason }: Reason): boolean {
  return (
    reason !== 'credentials_duplicated' &&
    reason !== 'credentials_oversized' &&
    reason !== 'forwarded_invalid' &&
    reason !== 'certificate_unmapped'
  );
}

function declaredBodyRefusal(request: AccessRequest, { maximumBodyBytes }: EnforceSettings): Reason | null {
  if (maximumBodyBytes === 0) return null;
  const declared = request.headers.get('content-length');
  return declared !== null && Number(declared) > maximumBodyBytes
    ? { reason: 'body_too_large', limitBytes: maximumBodyBytes }
    : null;
}

/** Whose budgets a caller spends from: the verified identity, or the address where nobody has an identity. */
function partitionOf(principal: Principal, boundary: Boundary, steps: Steps): Eventually<string> {
  return principal.method === 'none' && boundary.ingressIdentity === null
    ? steps.pseudonym('address', boundary.addressPartition ?? 'unknown')
    : steps.pseudonym('identity', principal.identity);
}

function revocable(principal: Principal): RevocationHandles | null {
  return principal.method === 'none'
    ? null
    : {
        tokenId: principal.tokenId,
        subject: principal.subject,
        issuer: principal.issuer,
        issuedAtSeconds: principal.issuedAtSeconds,
        keyId: principal.method === 'jwt' ? principal.keyId : null,
        thumbprint: principal.thumbprint,
        apiKeyId: principal.method === 'api_key' ? principal.keyId : null,
      };
}

function unwatched(): void {}

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
