import type { ExecutionContext, IncomingRequestCfProperties } from '@cloudflare/workers-types';
import { cloudflareCertificate } from '../../authenticate/certificate/cloudflare-certificate.ts';
import type { RequestContext } from '../../decision/ports.ts';
import type { Hop } from '../../decision/request.ts';
import type { Received } from '../../http/app.ts';

/** Path and query as they stand in the URL, which workerd leaves as they came. */
export function targetOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  return path === -1 ? '/' : url.slice(path);
}

/** TLS before 1.2 (RFC 8996), as Cloudflare writes it: no more secure than none. */
const oldTls = /^(SSL|TLSv1(\.1)?$)/;

/**
 * `CF-Connecting-IP` counts only where Cloudflare's edge received the request, which `request.cf.colo` (its data centre) says:
 * elsewhere (workerd alone, a test) it is a header that any caller can send.
 */
export function hopOf(request: Request, url: string): Hop {
  const { cf } = request as { cf?: IncomingRequestCfProperties };
  const { certificate, refusal } = cloudflareCertificate(cf?.tlsClientAuth);
  return {
    peerAddress: cf?.colo ? request.headers.get('cf-connecting-ip') : null,
    secure: url.startsWith('https:') && !oldTls.test(cf?.tlsVersion ?? ''),
    certificate,
    ...(refusal ? { certificateRefusal: refusal } : {}),
  };
}

/** A request's context, so that put-off work ends before the isolate is stopped. */
export function contextOf(execution: Pick<ExecutionContext, 'waitUntil'>): RequestContext {
  return { defer: (promise) => execution.waitUntil(promise) };
}

/** What a decision gets to know of a Worker's request. The URL is handed in, since workerd writes it anew at each look. */
export function messageOf(request: Request, url: string): Omit<Received, 'context'> {
  return {
    target: targetOf(url),
    headers: request.headers,
    hop: hopOf(request, url),
    hasBody: request.body !== null && request.headers.get('content-length') !== '0',
  };
}

/** The same, with the request's context. */
export function receivedOf(request: Request, execution: Pick<ExecutionContext, 'waitUntil'>): Received {
  return { ...messageOf(request, request.url), context: contextOf(execution) };
}
