import { certificateFromPem } from '../../authenticate/certificate/x509.ts';
import { compileConditions } from '../../authorize/row-conditions.ts';
import type { Composed } from '../../compose/authorizer.ts';
import { cachingConsequences } from '../../config/authorizer-caching.ts';
import type { Config } from '../../config/load.ts';
import type { Settings } from '../../config/variables.ts';
import type { Log, RequestContext } from '../../decision/ports.ts';
import type { Endpoint } from '../../decision/request.ts';
import { after, type Eventually } from '../../decision/steps.ts';
import { statusOf } from '../../respond/denial.ts';
import { type AuthorizerAnswer, AuthorizerError, createAnswers } from './answer.ts';
import { type AuthorizerCall, type HopCertificate, MalformedEvent, readEvent } from './events.ts';
import type { DecisionMetrics } from './metrics.ts';
import { createPolicies, type Policies, PolicyTooLarge } from './policy.ts';

export interface DoorParts {
  readonly log: Log;
  readonly metrics: DecisionMetrics;
}

/**
 * The door of API Gateway around wired parts: event in, answer out. The record is as durable as the audit mode demands, and all
 * work that was put off is done, before the answer leaves: Lambda freezes the process behind it. Whatever goes wrong is
 * an {@link AuthorizerError} with a word and nothing of the request; never an Allow.
 */
export function createLambdaDoor(composed: Composed, parts: DoorParts) {
  const { config } = composed;
  const { settings, documents } = config;
  const policies = createPolicies(documents.endpoints);
  const answer = answersOf(composed, policies);
  const events = {
    tokenField: config.authMode === 'api_key' ? 'x-api-key' : settings.jwtHeader,
    readCertificate,
  };
  for (const consequence of settings.authorizerTtlSeconds > 0 ? cachingConsequences(cachingOf(config)) : []) {
    parts.log('warn', 'answers_are_kept', { consequence });
  }
  for (const rows of policies.indistinct) parts.log('warn', 'endpoints_must_not_be_cached', { rows });

  const decideOn = (call: AuthorizerCall, context: RequestContext): Eventually<AuthorizerAnswer> => {
    const problem = keepingProblem(call, settings, policies);
    if (problem !== null) {
      parts.log('error', 'configuration_invalid', { problem });
      throw new AuthorizerError('configuration_invalid');
    }
    return after(composed.enforce(call.request, context), ({ decision, recorded, watch }) =>
      after(recorded ?? 'recorded', (kept) => {
        const status = kept === 'unavailable' ? 503 : decision.denial ? statusOf(decision.denial) : 200;
        parts.metrics.count(decision, status);
        watch?.answered(decision, status, null, context);
        if (kept === 'unavailable') throw new AuthorizerError('audit_unavailable');
        return answer(call, decision);
      }),
    );
  };

  return async (event: unknown): Promise<AuthorizerAnswer> => {
    const deferred: Promise<unknown>[] = [];
    const context = { defer: (promise: Promise<unknown>) => void deferred.push(promise) };
    try {
      const answered = after(readEvent(event, events), (call) => decideOn(call, context));
      return answered instanceof Promise ? await answered : answered;
    } catch (error) {
      throw told(error, parts.log);
    } finally {
      // Deferred work may defer more.
      for (let at = 0; at < deferred.length; at++)
        await deferred[at]?.catch(() => parts.log('error', 'deferred_work_failed'));
    }
  };
}

function answersOf({ config: { settings, documents }, deciding, gateway }: Composed, policies: Policies) {
  const [, { authorize }] = deciding;
  return createAnswers(
    { response: settings.authorizerResponse, ttlSeconds: settings.authorizerTtlSeconds },
    {
      policies,
      permits: (principal, endpoint) =>
        (endpoint.auth === undefined || endpoint.auth.some((way) => way === principal.method)) &&
        authorize(principal, { found: 'endpoint', endpoint }, null) === null,
      permitsBy: permitsBy(documents.endpoints),
      forwardedClaims: gateway.forwardedClaims,
      rateLimitFields: gateway.rateLimitFields,
      assertion: gateway.assertion,
    },
  );
}

function permitsBy(rows: readonly Endpoint[]): 'scopes' | 'caller' | 'time' {
  if (rows.some(({ stepUp }) => stepUp !== undefined && stepUp.maximumAgeSeconds !== null)) return 'time';
  return rows.every((row) => compileConditions(row, null).length === 0) ? 'scopes' : 'caller';
}

/** Why an answer to this call must not be kept by API Gateway although the configuration lets it, or null. */
function keepingProblem({ request }: AuthorizerCall, settings: Settings, policies: Policies): string | null {
  if (settings.authorizerTtlSeconds === 0) return null;
  if (request.hop.certificate !== null || request.hop.certificateRefusal !== undefined)
    return 'TGEFD_AUTHORIZER_TTL_SEC must be 0 with client certificates: a kept answer would pass without one';
  const simple = request.door === 'lambda_http_2' && settings.authorizerResponse === 'simple';
  return policies.byPath.length === 0 && (simple || policies.indistinct.length === 0)
    ? null
    : 'TGEFD_AUTHORIZER_TTL_SEC must be 0 with these endpoints: one policy cannot tell them apart';
}

async function readCertificate(pem: string): Promise<HopCertificate> {
  const certificate = await certificateFromPem(pem);
  return certificate === null
    ? { certificate, certificateRefusal: { reason: 'certificate_malformed' } }
    : { certificate };
}

/** What Lambda may show and log of a failure. */
function told(error: unknown, log: Log): AuthorizerError {
  if (error instanceof AuthorizerError) return error;
  if (error instanceof MalformedEvent) {
    log('warn', 'event_malformed', { problem: error.message });
    return new AuthorizerError('event_malformed');
  }
  if (error instanceof PolicyTooLarge) {
    log('error', 'policy_too_large', { problem: error.message });
    return new AuthorizerError('policy_too_large');
  }
  log('error', 'authorizer_failed', { error: error instanceof Error ? error.name : typeof error });
  return new AuthorizerError('internal_error');
}

function cachingOf({ settings }: Config) {
  return {
    ttlSeconds: settings.authorizerTtlSeconds,
    revocationDelaySeconds: settings.rateLimitMode === 'exact' ? 0 : settings.revocationMaximumDelaySeconds,
  };
}
