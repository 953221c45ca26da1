import type { Fetch } from './decision.ts';

/** Thrown when something would leave for a place that the configuration does not name. Carries the host, never the URL. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly host: string;
  constructor(host: string, why: string) {
    super(`egress to ${host} refused: ${why}`);
    this.host = host;
  }
}

export interface EgressSettings {
  /** Authorities that may be called, `host` or `host:port` as `URL.host` writes them (default ports left out). */
  readonly allowedHosts: ReadonlySet<string>;
  /** Longest time until the answer's header section, milliseconds; a caller's own signal still counts. */
  readonly deadlineMs: number;
}

const maximumRedirects = 3;

/**
 * The one way out. Gives a `fetch` that calls allowed hosts only, checked on every hop: a redirect is followed for GET,
 * at most three times, and only to the same origin. Throws `EgressRefused` before a byte leaves. Does not look at what a
 * name resolves to (Node's resolver guard does, `functions/node-lookup.ts`) and does not bound bodies: readers do.
 */
export const createEgress = (settings: EgressSettings, fetch: Fetch): Fetch => {
  const check = (url: URL) => {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new EgressRefused(url.host, 'scheme');
    if (url.username !== '' || url.password !== '') throw new EgressRefused(url.host, 'user information');
    if (!settings.allowedHosts.has(url.host)) throw new EgressRefused(url.host, 'not in the configuration');
  };
  return async (input, init = {}) => {
    let url = new URL(input);
    const deadline = AbortSignal.timeout(settings.deadlineMs);
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    for (let hop = 0; ; hop++) {
      check(url);
      const response = await fetch(url.href, { ...init, signal, redirect: 'manual' });
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || response.status === 304 || location === null)
        return response;
      await response.body?.cancel();
      if (!URL.canParse(location, url)) throw new EgressRefused(url.host, 'redirect that is no URL');
      const next = new URL(location, url);
      if (next.origin !== url.origin) throw new EgressRefused(next.host, 'redirect to another origin');
      if ((init.method ?? 'GET') !== 'GET' || hop === maximumRedirects) throw new EgressRefused(next.host, 'redirect');
      url = next;
    }
  };
};
