import type { Decision } from '../decision/outcome.ts';
import type { Enforce, Enforced } from '../decision/pipeline.ts';
import type { RequestContext } from '../decision/ports.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest } from '../decision/request.ts';
import { type Answer, denialAnswer, toldOf } from '../respond/denial.ts';
import { type ForwardParts, forward } from './forward.ts';
import { keepingBody } from './kept-body.ts';
import { type Probe, reportText } from './probe.ts';
import { answerOf } from './upstream-answer.ts';
import { webResponse } from './web-response.ts';

type Fields = readonly (readonly [string, string])[];

export interface GatewayParts extends ForwardParts {
  readonly enforce: Enforce;
  /** RateLimit fields of the budgets a decision spent from. */
  rateLimitFields(decision: Decision): Fields;
  /** Fields that keep callers on TLS, for our own answers. */
  transportFields(secure: boolean | null): Fields;
  /** Some decisions need the message of a request: its body can then be read ahead of the upstream. */
  readonly readsMessages?: boolean;
  /** Our own administrative endpoints, already decided upon. */
  administer(decision: Decision, request: Request, context: RequestContext): Promise<Response>;
  /** Present while an ingress is being examined. */
  readonly probe: Probe | null;
}

/** The answer to a denied decision, RateLimit fields included. */
export function denied(
  parts: Pick<GatewayParts, 'rateLimitFields' | 'transportFields'>,
  decision: Decision,
  reason: Reason,
  extra: Fields = [],
): Response {
  const { status, headers, body } = refusal(parts, decision, reason, extra);
  return webResponse(status, headers, body);
}

function refusal(
  parts: Pick<GatewayParts, 'rateLimitFields' | 'transportFields'>,
  decision: Decision,
  reason: Reason,
  extra: Fields,
): Answer {
  return denialAnswer(reason, toldOf(decision), [
    ...parts.rateLimitFields(decision),
    ...parts.transportFields(decision.boundary.secure),
    ...extra,
  ]);
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
    access.whenForwarded?.({
      hasType: outcome.headers.has('content-type'),
      instead() {
        parts.log('error', 'upstream_unreachable', { decision_id: decision.id, error: 'answer_body' });
        return refusal(parts, decision, { reason: 'upstream_unreachable' }, extra);
      },
    });
    return answerOf(outcome, [
      ['x-request-id', decision.boundary.requestId],
      ...parts.rateLimitFields(decision),
      ...parts.transportFields(decision.boundary.secure),
      ...extra,
    ]);
  };

  return async (received, request, context, extra) => {
    const access = parts.readsMessages ? keepingBody(received, request, parts.idleTimeoutMs) : received;
    const report = parts.probe && (await parts.probe(access, access));
    if (report) {
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
      return new Response(reportText(report), { status: 403, headers });
    }
    const enforced = await parts.enforce(access, context);
    const { watch, decision, leave } = enforced;
    if (leave) access.whenAnswered?.(leave);
    if (watch === null)
      return answerTo(enforced, access, request, context, extra, unwatched).finally(leaveAtOnce(leave, access));
    const askedMs = performance.now();
    let upstreamMs: number | null = null;
    const answer = await answerTo(enforced, access, request, context, extra, () => {
      upstreamMs = performance.now() - askedMs;
    }).finally(leaveAtOnce(leave, access));
    watch.answered(decision, answer.status, upstreamMs, context);
    return answer;
  };
}

function unwatched(): void {}

/** Where nobody tells when the answer has left, its beginning counts. */
function leaveAtOnce(leave: (() => void) | null, { whenAnswered }: AccessRequest): () => void {
  return leave === null || whenAnswered ? unwatched : leave;
}

const auditUnavailable: Reason = { reason: 'audit_unavailable', retryAfterSeconds: 5 };

async function discard(outcome: Response | Reason) {
  if (outcome instanceof Response) await outcome.body?.cancel();
}
