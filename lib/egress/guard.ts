import { limitBody } from '../codec/bounded-body.ts';
import { EgressRefused } from '../decision/egress-refused.ts';
import type { Fetch } from '../decision/ports.ts';

export interface EgressSettings {
  /** Authorities that may be called, `host` or `host:port` as `URL.host` writes them (default ports left out). */
  readonly allowedHosts: ReadonlySet<string>;
  /** Longest time until the answer's header section, milliseconds; a caller's own signal still counts. Null: only that. */
  readonly deadlineMs: number | null;
  /** Longest body of an answer; reading past it rejects. Null: whoever reads it counts. */
  readonly maximumBodyBytes: number | null;
}

/** Told of every refusal, before it is thrown. */
export type NoteRefusal = (refusal: EgressRefused) => void;

const maximumRedirects = 3;

/**
 * The one way out. Gives a `fetch` that calls allowed hosts only, checked on every hop: a redirect is followed for GET,
 * at most three times, and only to the same origin. Throws `EgressRefused` before a byte leaves; an answer's body ends with
 * an error once it is longer than allowed. Does not look at what a name resolves to: on Node `lib/platform/node/egress.ts`
 * does, on a Worker there is nothing private to resolve to.
 */
export function createEgress(settings: EgressSettings, fetch: Fetch, note: NoteRefusal): Fetch {
  const refuse = (host: string, why: string): never => {
    const refusal = new EgressRefused(host, why);
    note(refusal);
    throw refusal;
  };
  const check = (url: URL) => {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse(url.host, 'scheme');
    if (url.username !== '' || url.password !== '') refuse(url.host, 'user information');
    if (!settings.allowedHosts.has(url.host)) refuse(url.host, 'not in the configuration');
  };
  return async (input, init = {}) => {
    let url = new URL(input);
    const signal = soonest(init.signal ?? null, settings.deadlineMs);
    for (let hop = 0; ; hop++) {
      check(url);
      const response = await fetch(url.href, { ...init, signal, redirect: 'manual' });
      const { status } = response;
      // No field is looked at that need not be: in workerd each look costs as much as the rest of this.
      const location = status < 300 || status > 399 || status === 304 ? null : response.headers.get('location');
      if (location === null) return bounded(response, settings.maximumBodyBytes);
      await response.body?.cancel();
      if (!URL.canParse(location, url)) return refuse(url.host, 'redirect that is no URL');
      const next = new URL(location, url);
      if (next.origin !== url.origin) refuse(next.host, 'redirect to another origin');
      if ((init.method ?? 'GET') !== 'GET' || hop === maximumRedirects) refuse(next.host, 'redirect');
      url = next;
    }
  };
}

function soonest(own: AbortSignal | null, deadlineMs: number | null): AbortSignal | null {
  if (deadlineMs === null) return own;
  const deadline = AbortSignal.timeout(deadlineMs);
  return own ? AbortSignal.any([own, deadline]) : deadline;
}

/** The answer, its body held to a length: by its own word where framing holds it to that, else by counting. */
function bounded(response: Response, maximumBytes: number | null): Response {
  if (maximumBytes === null) return response;
  const { body, headers, status, statusText } = response;
  if (body === null) return response;
  const declared = headers.get('content-length');
  if (declared !== null && !headers.has('content-encoding') && Number(declared) <= maximumBytes) return response;
  const counted = limitBody(body, maximumBytes, () => new Error(`an answer longer than ${maximumBytes} bytes`));
  return new Response(counted, { status, statusText, headers });
}
