import type { Decision } from '../decision/outcome.ts';
import type { RequestContext } from '../decision/ports.ts';
import type { Principal } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest, RequestSource } from '../decision/request.ts';
import { after, type Eventually } from '../decision/steps.ts';
import { canonicalTarget } from '../request/path.ts';
import type { Answer } from '../respond/denial.ts';
import type { ClaimsUpstream } from '../respond/forwarded-claims.ts';
import { identityFields } from '../respond/identity.ts';
import { type Decided, type DecidingParts, decide } from './decided.ts';
import { DOCTOR_IDENTITY, ECHO_PATH, type Probe, type ProbeReport, reportText } from './probe.ts';

type Fields = readonly (readonly [string, string])[];
type Headers_ = AccessRequest['headers'];

export type ForwardAuthProxy = 'nginx' | 'traefik' | 'caddy' | 'envoy';

/** Where each proxy writes the method and target it asks about. Closed: nothing else is ever read. */
const sources: Readonly<Record<'nginx' | 'traefik' | 'caddy', { readonly method: string; readonly target: string }>> = {
  nginx: { method: 'x-original-method', target: 'x-original-uri' },
  traefik: { method: 'x-forwarded-method', target: 'x-forwarded-uri' },
  caddy: { method: 'x-forwarded-method', target: 'x-forwarded-uri' },
};
const everySource = ['x-original-method', 'x-original-uri', 'x-original-url', 'x-forwarded-method', 'x-forwarded-uri'];

export const checkPath = '/_authorizer/check';
export const extAuthzPrefix = '/_authorizer/ext-authz';

/**
 * What answers a raw target when it is the page that the configured proxy asks, otherwise null. Every server and the app
 * choose by this, so that one question has one answer.
 */
export function checkOf(forwardAuth: ConfiguredForwardAuth | null, target: string): ForwardAuth | null {
  if (forwardAuth === null) return null;
  const isAsked =
    forwardAuth.proxy === 'envoy'
      ? target.startsWith(extAuthzPrefix) && endsSegment(target, extAuthzPrefix.length, '/?')
      : target.startsWith(checkPath) && endsSegment(target, checkPath.length, '?');
  return isAsked ? forwardAuth.check : null;
}

function endsSegment(target: string, at: number, ends: string): boolean {
  return target.length === at || ends.includes(target.charAt(at));
}

/** The proxy that asks, and what answers it. */
export interface ConfiguredForwardAuth {
  readonly proxy: ForwardAuthProxy;
  readonly check: ForwardAuth;
}

/** What a proxy asks about, or the reason why its question is refused. */
export function askedAbout(
  proxy: ForwardAuthProxy,
  method: string,
  target: string,
  headers: Headers_,
): { readonly method: string; readonly target: string } | Reason {
  if (proxy === 'envoy') {
    const asked = target.slice(extAuthzPrefix.length);
    const stray = everySource.find((name) => {
      const value = headers.get(name);
      return value !== null && value !== (name.endsWith('method') ? method : asked);
    });
    return stray ? { reason: 'forwarded_invalid', field: stray } : { method, target: asked };
  }
  const from = sources[proxy];
  const asked = { method: headers.get(from.method), target: headers.get(from.target) };
  if (asked.method === null || !/^[A-Z]{1,32}$/.test(asked.method))
    return { reason: 'forwarded_invalid', field: from.method };
  if (asked.target === null || !asked.target.startsWith('/'))
    return { reason: 'forwarded_invalid', field: from.target };
  const contradiction = everySource.find((name) => {
    if (name === from.method || name === from.target) return false;
    const value = headers.get(name);
    return value !== null && value !== (name.endsWith('method') ? asked.method : asked.target);
  });
  return contradiction
    ? { reason: 'forwarded_invalid', field: contradiction }
    : { method: asked.method, target: asked.target };
}

export interface ForwardAuthParts extends DecidingParts {
  readonly proxy: ForwardAuthProxy;
  readonly identityHeader: string | null;
  /** What of a caller's claims goes upstream; null: nothing. */
  readonly forwardedClaims: ((principal: Principal | null) => ClaimsUpstream) | null;
  assertion: ((decision: Decision) => Promise<string>) | null;
  /** Present while an ingress is being examined. */
  readonly probe: Probe | null;
}

/** Which header fields a proxy can copy to the upstream, and which it strips and overwrites: always every one of them, since
 * a proxy may keep a caller's field where we send none. */
function grantFields(parts: ForwardAuthParts, decision: Decision, assertion: string): Fields {
  const fields = identityFields(decision, parts.identityHeader, parts.forwardedClaims?.(decision.principal) ?? null);
  fields.push(['x-tgefd-assertion', assertion], ...parts.rateLimitFields(decision), NOT_STORED);
  return fields;
}

const NOT_STORED = ['cache-control', 'no-store'] as const;

/** Answers one question of a proxy. Makes no promise where there is nothing to wait for. */
export type ForwardAuth = (access: AccessRequest, context: RequestContext) => Eventually<Answer>;

/**
 * The forward-auth door: decides about the request a proxy describes and answers 200 with the caller's identity, or the
 * denial. nginx's `auth_request` lets only 401 and 403 through, so for it every other denial is a 403 that carries the true
 * answer in `x-tgefd-status`, `x-tgefd-problem` (the problem document) and the usual fields.
 */
export function createForwardAuth(parts: ForwardAuthParts): ForwardAuth {
  const door: RequestSource = parts.proxy;
  return (access, context) => {
    const asked = askedAbout(parts.proxy, access.method, access.target, access.headers);
    const request: AccessRequest =
      'reason' in asked
        ? { ...access, door, refused: asked }
        : { ...access, door, method: asked.method, target: asked.target };
    const answerDecided = () => after(decide(parts, request, context), (decided) => answerOf(parts, decided));
    if (parts.probe === null) return answerDecided();
    return parts.probe({ ...access, door }, asked).then((report) => (report ? probed(report) : answerDecided()));
  };
}

function answerOf(parts: ForwardAuthParts, decided: Decided): Eventually<Answer> {
  const { decision } = decided;
  if (decided.denial !== null) return denialFor(parts.proxy, decided.answer);
  return after(parts.assertion === null ? '' : parts.assertion(decision), (assertion) => ({
    status: 200,
    headers: grantFields(parts, decision, assertion),
    body: null,
  }));
}

function denialFor(proxy: ForwardAuthProxy, answer: Answer): Answer {
  if (proxy !== 'nginx') return answer;
  return {
    status: answer.status === 401 ? 401 : 403,
    headers: [...answer.headers, ['x-tgefd-status', String(answer.status)], ['x-tgefd-problem', answer.body ?? '']],
    body: answer.body,
  };
}

/**
 * The doctor's question: below its echo path it passes under an identity of its own, elsewhere it gets the report. Only a canonical
 * path passes, so that nobody makes another of it behind us.
 */
function probed(report: ProbeReport): Answer {
  const target = report.asked?.[1] ?? '';
  const canonical = canonicalTarget(target);
  const echoes = target === ECHO_PATH || target.startsWith(`${ECHO_PATH}/`);
  if (echoes && canonical.ok && `${canonical.path}${canonical.query}` === target) {
    const identity = [
      'x-auth-request-user',
      'x-auth-request-scopes',
      'x-auth-request-method',
      'x-auth-request-issuer',
      'x-tgefd-assertion',
    ];
    return {
      status: 200,
      headers: [...identity, 'x-request-id', 'traceparent'].map((name) => [name, DOCTOR_IDENTITY] as const),
      body: null,
    };
  }
  const body = reportText(report);
  return {
    status: 403,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
      ['x-tgefd-status', '403'],
      ['x-tgefd-problem', body],
    ],
    body,
  };
}
