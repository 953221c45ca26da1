import type { Upstream } from '../../decision/ports.ts';

/** A service binding: another Worker, or a connection with a client certificate. */
export interface ServiceBinding {
  fetch(request: Request): Promise<Response>;
}

/** The upstream by service binding, else by its origin; redirects and content codings pass as they are. */
export function workerUpstream(binding: ServiceBinding | undefined, url: URL | null): Upstream | null {
  const origin = url?.origin ?? 'https://upstream.internal';
  if (!binding && !url) return null;
  return ({ method, target, fields, body, upgrade, signal }) => {
    const headers = new Headers(fields as [string, string][]);
    if (upgrade) headers.set('upgrade', upgrade);
    const init: RequestInit = {
      method,
      headers,
      redirect: 'manual',
      signal,
      body: method === 'GET' || method === 'HEAD' ? null : body,
    };
    const request = new Request(`${origin}${target}`, init);
    return binding ? binding.fetch(request) : fetch(request);
  };
}
