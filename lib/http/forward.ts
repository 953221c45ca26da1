import type { Decision } from '../decision/outcome.ts';
import type { Log, Upstream } from '../decision/ports.ts';
import type { Principal } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest } from '../decision/request.ts';
import type { ClaimsUpstream } from '../respond/forwarded-claims.ts';
import { forwardedFields, identityFields } from '../respond/identity.ts';
import { bodyOf } from './kept-body.ts';
import { createUpload } from './upload.ts';

type Fields = readonly (readonly [string, string])[];

export interface ForwardParts {
  readonly upstream: Upstream | null;
  /** What of the caller's fields may go upstream. */
  upstreamFields(headers: AccessRequest['headers']): Fields;
  readonly identityHeader: string | null;
  /** What of a caller's claims goes upstream; null: nothing. */
  readonly forwardedClaims: ((principal: Principal | null) => ClaimsUpstream) | null;
  /** From when the body has been sent until the answer begins; waiting for a connection counts too. */
  readonly upstreamTimeoutMs: number;
  /** Longest time in which no byte of an upload moves. */
  readonly idleTimeoutMs: number;
  readonly maximumBodyBytes: number;
  /** Signed identity assertion for the upstream, or null where no key is configured. */
  assertion: ((decision: Decision) => Promise<string>) | null;
  readonly log: Log;
}

type Late = 'upstream_timeout' | 'upload_stalled' | null;

/**
 * Calls the upstream. Never rejects and never stays open: where the upstream neither answers nor heeds the signal, the
 * deadline settles it.
 */
export async function forward(
  parts: ForwardParts,
  decision: Decision,
  access: AccessRequest,
  request: Request,
  abandon: AbortController,
): Promise<Response | Reason> {
  const { upstream } = parts;
  if (!upstream) return { reason: 'upstream_unreachable' };
  let late: Late = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = (milliseconds: number, why: Late) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      late = why;
      abandon.abort();
    }, milliseconds);
  };
  limit(parts.upstreamTimeoutMs, 'upstream_timeout');
  const length = declaredLength(access);
  const upload = createUpload(length === 0 || access.hasBody === false ? null : bodyOf(access, request), {
    limitBytes: length === null ? parts.maximumBodyBytes : 0,
    moved: () => limit(parts.idleTimeoutMs, 'upload_stalled'),
    sent: () => limit(parts.upstreamTimeoutMs, 'upstream_timeout'),
    broken: () => abandon.abort(),
  });
  try {
    const call = upstream({
      method: decision.method,
      target: `${decision.path}${decision.query}`,
      fields: [
        ...joinCookies(parts.upstreamFields(access.headers)),
        ...identityFields(decision, parts.identityHeader, parts.forwardedClaims?.(decision.principal) ?? null),
        ...forwardedFields(decision),
        ...(parts.assertion ? [['x-tgefd-assertion', await parts.assertion(decision)] as const] : []),
      ],
      body: upload.stream,
      length,
      upgrade: access.headers.get('upgrade')?.toLowerCase() === 'websocket' ? 'websocket' : null,
      signal: request.signal ? AbortSignal.any([abandon.signal, request.signal]) : abandon.signal,
    });
    const answer = await orAborted(call, abandon.signal);
    if (isFinal(answer)) return answer;
    await answer.body?.cancel();
    throw Object.assign(new Error('an answer with an invalid status'), { code: 'answer_status' });
  } catch (error) {
    if (upload.fault() === 'too_large') return { reason: 'body_too_large', limitBytes: parts.maximumBodyBytes };
    if (upload.fault() === 'broken' && !request.signal?.aborted) return { reason: 'body_invalid' };
    const isStalled = late === 'upload_stalled' && upload.waitsForCaller();
    if (late !== null)
      parts.log('warn', isStalled ? 'upload_stalled' : 'upstream_timeout', { decision_id: decision.id });
    if (isStalled) return { reason: 'request_stalled' };
    if (late !== null) return { reason: 'upstream_timeout' };
    if (!request.signal?.aborted)
      parts.log('error', 'upstream_unreachable', { decision_id: decision.id, error: codeOf(error) });
    return { reason: 'upstream_unreachable' };
  } finally {
    clearTimeout(timer);
  }
}

/** The length that the caller declared, or null; the runtime's parser has refused what is no length. */
function declaredLength({ headers }: AccessRequest): number | null {
  const declared = headers.get('content-length');
  return declared !== null && /^\d{1,15}$/.test(declared) ? Number(declared) : null;
}

/** Lines of `Cookie` are one list with `; ` between its members (RFC 9113 §8.2.3); servers read the first line only. */
export function joinCookies(fields: Fields): Fields {
  const cookies = fields.filter(([name]) => name === 'cookie');
  if (cookies.length < 2) return fields;
  const joined = ['cookie', cookies.map(([, value]) => value).join('; ')] as const;
  return [...fields.filter(([name]) => name !== 'cookie'), joined];
}

/** Settles with the call, or rejects when the signal aborts; an answer that comes later is thrown away. */
function orAborted(call: Promise<Response>, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(new Error('aborted'));
      call.then((late) => late.body?.cancel()).catch(() => undefined);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** RFC 9110 §15: a final status is 200 to 599; a runtime may let others through. 101 comes only where it was asked for. */
function isFinal({ status }: Response): boolean {
  return status === 101 || (status >= 200 && status <= 599);
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as { code?: string }).code ?? error.name) : 'unknown';
}
