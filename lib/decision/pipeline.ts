import { admit } from './admit-step.ts';
import type { Decision } from './outcome.ts';
import type { Clock, DecisionObserver, Log, NewId, RequestContext } from './ports.ts';
import { ASKS_ONLY, explainRoute, reachable } from './reach.ts';
import type { Reason } from './reason.ts';
import type { AccessRequest, CredentialWay, Route } from './request.ts';
import { after, type EnforceSettings, type Eventually, type Step, type Steps } from './steps.ts';
import { takePlace } from './take-place.ts';
import { explainVerdict, inShadow, UNSHADOWED } from './verdict.ts';
import { beginWalk, decisionOf, type Walk } from './walk.ts';

/** A decision and the fate of its record. The answer must not leave before `recorded` has settled well. */
export interface Enforced {
  readonly decision: Decision;
  readonly recorded: Promise<'recorded' | 'unavailable'> | null;
  /** Who wants to hear of the answer; null where nobody does. */
  readonly watch: DecisionObserver | null;
  /** To be called once the answer has left; null where there is nothing to leave. */
  readonly leave: (() => void) | null;
}

/** Decides one request. Makes no promise where nothing has to be waited for. */
export type Enforce = (request: AccessRequest, context: RequestContext) => Eventually<Enforced>;

interface EnforceParts {
  readonly clock: Clock;
  /** Monotonic; absent: the clock. */
  readonly stopwatch?: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly watch?: (() => DecisionObserver) | null;
}

/**
 * The decision, top to bottom: boundary, endpoint, authenticate, authorize, admit, record. Any step may deny; the later
 * steps are then skipped, the record never is. A bug anywhere is a denial `internal_error` (503), recorded like any other.
 * Does not answer and does not forward: the adapters do.
 */
export function createEnforce(settings: EnforceSettings, steps: Steps, parts: EnforceParts): Enforce {
  const [permit, enter] = [authorize(settings, steps), takePlace(steps)];
  const pipeline: readonly Step[] = [
    examineBoundary(steps),
    findEndpoint(settings, steps),
    ...(steps.byMessage ? [steps.byMessage.readFields] : []),
    authenticate(steps),
    // A body that is kept in memory takes its place among the requests under way first.
    ...(steps.byMessage ? [enter, steps.byMessage.readBody, permit] : [permit, enter]),
    admit(steps),
  ];

  const { clock, newId, log, stopwatch = clock, watch: newObserver = null } = parts;
  const conclude = (walk: Walk, reason: Reason | null): Enforced => {
    const { context, watch } = walk;
    const verdict = steps.shadow ? inShadow(steps.shadow, walk, reason) : { ...UNSHADOWED, denial: reason };
    const decision = decisionOf(walk, verdict, settings, stopwatch() - walk.startedMs);
    if (decision.denial) walk.leave?.();
    context.explain?.('decide', explainVerdict(verdict), {});
    const recorded = steps.record(decision, context);
    watch?.decided(decision, recorded, context);
    return { decision, recorded, watch, leave: decision.denial ? null : walk.leave };
  };
  const failed = ({ id }: Walk, error: unknown): Reason => {
    log('error', 'decision_failed', { decision_id: id, error: nameOf(error) });
    return { reason: 'internal_error' };
  };

  return (request, context) => {
    const times = { atMs: clock(), startedMs: stopwatch() };
    const walk = beginWalk(request, context, newId(), times, newObserver === null ? null : newObserver());
    let denial: Eventually<Reason | null>;
    try {
      denial = takeSteps(pipeline, walk);
    } catch (error) {
      denial = failed(walk, error);
    }
    if (!(denial instanceof Promise)) return conclude(walk, denial);
    return denial.catch((error: unknown) => failed(walk, error)).then((reason) => conclude(walk, reason));
  };
}

/** Takes the steps in their order until one denies. */
function takeSteps(pipeline: readonly Step[], walk: Walk, from = 0): Eventually<Reason | null> {
  for (let at = from; at < pipeline.length; at++) {
    const denial = pipeline[at]?.(walk) ?? null;
    if (denial instanceof Promise) return denial.then((reason) => reason ?? takeSteps(pipeline, walk, at + 1));
    if (denial !== null) return denial;
  }
  return null;
}

/** 1. Which hop sent the message, and which of its fields may be believed? */
function examineBoundary(steps: Steps): Step {
  return (walk) =>
    after(steps.examine(walk.request, walk.atMs), ({ boundary, denial }) => {
      walk.boundary = boundary;
      walk.boundaryDenial = denial;
      walk.context.explain?.(
        'boundary',
        boundary.trustedHop ? 'a trusted hop sent the request' : 'the caller connects directly',
        {
          client: boundary.clientAddress,
          secure: boundary.secure,
        },
      );
      return walk.request.refused ?? null;
    });
}

/** 2. Which row does the one canonical path name? An unknown path is remembered: a caller without credentials is 401. */
function findEndpoint(settings: EnforceSettings, steps: Steps): Step {
  return (walk) => {
    const { request } = walk;
    const target = steps.canonicalTarget(request.target);
    if (!target.ok) return { reason: 'path_ambiguous', problem: target.problem };
    if (ASKS_ONLY.has(request.door) && `${target.path}${target.query}` !== request.target)
      return { reason: 'path_ambiguous', problem: 'not_canonical' };
    walk.path = target.path;
    walk.query = target.query;
    walk.route = reachable(steps.route(request.method, target.path), request, settings);
    walk.context.explain?.('endpoint', explainRoute(walk.route), { path: target.path });
    if (walk.boundaryDenial !== null) return walk.boundaryDenial;
    if (settings.requireTls && walk.boundary.secure === false) return { reason: 'transport_insecure' };
    walk.watch?.mark('boundary');
    return null;
  };
}

/** 3. Who calls? A failed proof spends from the budget of its address; an empty one costs no key fetch any more. */
function authenticate(steps: Steps): Step {
  return (walk) => {
    const { addressPartition: address } = walk.boundary;
    const throttledSeconds = address === null ? null : steps.failures.exhausted(address, walk.startedMs);
    const mayFetchKeys = throttledSeconds === null;
    const ways = waysOf(walk.route);
    const answer = steps.authenticate(walk.request, walk.boundary, walk.context, mayFetchKeys, ways);
    return after(answer, (authentication) => {
      walk.watch?.mark('authenticate');
      if (authentication.outcome === 'unavailable') return authentication;
      if (authentication.outcome === 'throttled')
        return { reason: 'authentication_throttled', retryAfterSeconds: authentication.retryAfterSeconds };
      if (authentication.outcome === 'refused') {
        const { reason, method } = authentication;
        if (method !== undefined) walk.authMethod = method;
        walk.byProof = authentication.byProof === true;
        if (!failedToProve(reason)) return reason;
        if (throttledSeconds !== null)
          return { reason: 'authentication_throttled', retryAfterSeconds: throttledSeconds };
        if (address !== null) steps.failures.spend(address, walk.startedMs, walk.context);
        return reason;
      }
      const { principal } = authentication;
      walk.principal = principal;
      walk.authMethod = principal.method;
      walk.degraded = authentication.degraded;
      if (authentication.proof) {
        walk.proof = { ...authentication.proof, by: walk.id };
        walk.byProof = true;
      }
      walk.context.explain?.('authenticate', 'the caller is known', {
        method: principal.method,
        key_id: principal.keyId,
      });
      return null;
    });
  };
}

/** Rows among which a message decides agree about the credentials that they look at wherever it is in the body. */
function waysOf(route: Route): readonly CredentialWay[] | null {
  if (route.found === 'endpoint') return route.endpoint.auth ?? null;
  return route.found === 'by_message' ? (route.rows[0]?.auth ?? null) : null;
}

/** 4. May they? A refusal waits for admission: a revoked credential is 401, whatever it asked for. */
function authorize(settings: EnforceSettings, steps: Steps): Step {
  return (walk) => {
    const { principal, route, path, request, context } = walk;
    if (principal === null) return { reason: 'internal_error' };
    walk.refusal ??= steps.authorize(principal, route, path, context.explain) ?? declaredBodyRefusal(request, settings);
    if (walk.refusal?.reason === 'body_too_large') context.explain?.('authorize', 'refused: body_too_large');
    return null;
  };
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

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
