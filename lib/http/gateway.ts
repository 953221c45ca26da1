import type { Decision } from '../decision/outcome.ts';
import type { Enforce, Enforced } from '../decision/pipeline.ts';
import type { Log, RequestContext, Upstream } from '../decision/ports.ts';
import type { Principal } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest } from '../decision/request.ts';
import { denialAnswer } from '../respond/denial.ts';
import type { ClaimsUpstream } from '../respond/forwarded-claims.ts';
import { forwardedFields, identityFields } from '../respond/identity.ts';
import { type Probe, reportText } from './probe.ts';
import { webResponse } from './web-response.ts';

type Fields = readonly (readonly [string, string])[];

export interface GatewayParts {
  readonly enforce: Enforce;
  readonly upstream: Upstream | null;
  /** What of the caller's fields may go upstream. */
  upstreamFields(headers: AccessRequest['headers']): Fields;
  readonly identityHeader: string | null;
  /** What of a caller's claims goes upstream; null: nothing. */
  readonly forwardedClaims: ((principal: Principal | null) => ClaimsUpstream) | null;
  readonly upstreamTimeoutMs: number;
  readonly maximumBodyBytes: number;
  /** Signed identity assertion for the upstream, or null where no key is configured. */
  assertion: ((decision: Decision) => Promise<string>) | null;
  /** RateLimit fields of the budgets a decision spent from. */
  rateLimitFields(decision: Decision): Fields;
  /** Fields that keep callers on TLS, for our own answers. */
  transportFields(secure: boolean | null): Fields;
  /** Our own administrative endpoints, already decided upon. */
  administer(decision: Decision, request: Request, context: RequestContext): Promise<Response>;
  /** Present while an ingress is being examined. */
  readonly probe: Probe | null;
  readonly log: Log;
}

/** The answer to a denied decision, RateLimit fields included. */
export function denied(
  parts: Pick<GatewayParts, 'rateLimitFields' | 'transportFields'>,
  decision: Decision,
  reason: Reason,
  extra: Fields = [],
): Response {
  const told = { requestId: decision.boundary.requestId, authMethod: decision.authMethod };
  const answer = denialAnswer(reason, told, [
    ...parts.rateLimitFields(decision),
    ...parts.transportFields(decision.boundary.secure),
    ...extra,
  ]);
  return webResponse(answer.status, answer.headers, answer.body);
}

/** Answers one request that came to the gateway; `extra` fields go on every answer of ours. */
export type Gateway = (
  access: AccessRequest,
  request: Request,
  context: RequestContext,
  extra: Fields,
) => Promise<Response>;

/**
 * The gateway door: decides, and forwards what is allowed, streaming both ways. The record and the upstream call overlap;
 * no answer leaves before the record is as durable as the audit mode demands, and if it cannot be, the answer is 503.
 */
export function createGateway(parts: GatewayParts): Gateway {
  const answerTo = async (
    { decision, recorded, watch }: Enforced,
    access: AccessRequest,
    request: Request,
    context: RequestContext,
    extra: Fields,
    upstreamAnswered: () => void,
  ): Promise<Response> => {
    const denial = decision.denial;
    if (denial) {
      const kept = await recorded;
      return denied(parts, decision, kept === 'unavailable' ? auditUnavailable : denial, extra);
    }
    if (decision.endpoint?.own) {
      if ((await recorded) === 'unavailable') return denied(parts, decision, auditUnavailable, extra);
      const answer = await parts.administer(decision, request, context);
      const transport = parts.transportFields(decision.boundary.secure);
      for (const [name, value] of [...transport, ...extra]) answer.headers.set(name, value);
      return answer;
    }
    const abandon = new AbortController();
    const forwarded = forward(parts, decision, access, request, abandon);
    if (watch) void forwarded.then(upstreamAnswered);
    if (recorded && (await recorded) === 'unavailable') {
      abandon.abort();
      context.defer(forwarded.then(discard, () => undefined));
      return denied(parts, decision, auditUnavailable, extra);
    }
    const outcome = await forwarded;
    if (!(outcome instanceof Response)) return denied(parts, decision, outcome, extra);
    return answerOf(outcome, [
      ['x-request-id', decision.boundary.requestId],
      ...parts.rateLimitFields(decision),
      ...parts.transportFields(decision.boundary.secure),
      ...extra,
    ]);
  };

  return async (access, request, context, extra) => {
    const report = parts.probe && (await parts.probe(access, access));
    if (report) {
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
      return new Response(reportText(report), { status: 403, headers });
    }
    const enforced = await parts.enforce(access, context);
    const { watch, decision } = enforced;
    if (watch === null) return answerTo(enforced, access, request, context, extra, unwatched);
    const askedMs = performance.now();
    let upstreamMs: number | null = null;
    const answer = await answerTo(enforced, access, request, context, extra, () => {
      upstreamMs = performance.now() - askedMs;
    });
    watch.answered(decision, answer.status, upstreamMs, context);
    return answer;
  };
}

function unwatched(): void {}

const auditUnavailable: Reason = { reason: 'audit_unavailable', retryAfterSeconds: 5 };

async function discard(outcome: Response | Reason) {
  if (outcome instanceof Response) await outcome.body?.cancel();
}

/** Calls the upstream; never rejects, since the record of the decision is awaited beside it. */
async function forward(
  parts: GatewayParts,
  decision: Decision,
  access: AccessRequest,
  request: Request,
  abandon: AbortController,
): Promise<Response | Reason> {
  const { upstream } = parts;
  if (!upstream) return { reason: 'upstream_unreachable' };
  const body = limited(request.body, parts.maximumBodyBytes, () => abandon.abort());
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abandon.abort();
  }, parts.upstreamTimeoutMs);
  try {
    return await upstream({
      method: decision.method,
      target: `${decision.path}${decision.query}`,
      fields: [
        ...parts.upstreamFields(access.headers),
        ...identityFields(decision, parts.identityHeader, parts.forwardedClaims?.(decision.principal) ?? null),
        ...forwardedFields(decision),
        ...(parts.assertion ? [['x-tgefd-assertion', await parts.assertion(decision)] as const] : []),
      ],
      body: body.stream,
      upgrade: access.headers.get('upgrade')?.toLowerCase() === 'websocket' ? 'websocket' : null,
      signal: request.signal ? AbortSignal.any([abandon.signal, request.signal]) : abandon.signal,
    });
  } catch (error) {
    if (body.exceeded()) return { reason: 'body_too_large', limitBytes: parts.maximumBodyBytes };
    if (late) return { reason: 'upstream_timeout' };
    if (!request.signal?.aborted)
      parts.log('error', 'upstream_unreachable', {
        decision_id: decision.id,
        error: error instanceof Error ? ((error as { code?: string }).code ?? error.name) : 'unknown',
      });
    return { reason: 'upstream_unreachable' };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Passes a body on and breaks it off once it has grown past the limit (0: no limit). The upstream call is given up first:
 * a runtime may end a broken body as if it were whole.
 */
function limited(body: ReadableStream<Uint8Array> | null, limitBytes: number, exceed: () => void) {
  let exceeded = false;
  if (!body || limitBytes === 0) return { stream: body, exceeded: () => exceeded };
  let seen = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > limitBytes) {
        exceeded = true;
        exceed();
        controller.error(new Error('body too large'));
      } else controller.enqueue(chunk);
    },
  });
  return { stream: body.pipeThrough(counter), exceeded: () => exceeded };
}

const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** The upstream's answer as the caller gets it: hop-by-hop fields (RFC 9110 §7.6.1) removed, ours set over its own. */
function answerOf(upstream: Response, ours: Fields): Response {
  if (upstream.status === 101) return upstream;
  const headers = new Headers(upstream.headers);
  for (const name of headers.get('connection')?.split(',') ?? [])
    if (/^[\w-]+$/.test(name.trim())) headers.delete(name.trim());
  for (const name of hopByHop) headers.delete(name);
  for (const [name, value] of ours) name === 'vary' ? headers.append(name, value) : headers.set(name, value);
  return new Response(upstream.body, { status: upstream.status, statusText: upstream.statusText, headers });
}
