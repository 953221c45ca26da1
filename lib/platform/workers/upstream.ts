import type { Upstream } from '../../decision/ports.ts';

/** A service binding: another Worker, or a connection with a client certificate. */
export interface ServiceBinding {
  fetch(request: Request): Promise<Response>;
}

/** workerd's own stream, by which a body keeps its declared length. */
declare const FixedLengthStream: new (bytes: number) => TransformStream<Uint8Array, Uint8Array>;

/** The upstream by service binding, else by its origin; redirects and content codings pass as they are. */
export function workerUpstream(binding: ServiceBinding | undefined, url: URL | null): Upstream | null {
  const origin = url?.origin ?? 'https://upstream.internal';
  if (!binding && !url) return null;
  return async ({ method, target, fields, body, length, upgrade, signal }) => {
    const headers = new Headers();
    for (const [name, value] of fields) headers.append(name, name === 'cookie' ? cookieList(value) : value);
    if (upgrade) headers.set('upgrade', upgrade);
    const request = new Request(`${origin}${target}`, {
      method,
      headers,
      redirect: 'manual',
      // One caller's answer must never be served to another from Cloudflare's cache.
      cache: 'no-store',
      signal,
      body: body !== null && length !== null ? body.pipeThrough(new FixedLengthStream(length)) : body,
    });
    const answer = await (binding ? binding.fetch(request) : fetch(request));
    if (answer.status !== 101 || upgrade) return answer;
    throw Object.assign(new Error('an upgrade that nobody asked for'), { code: 'answer_upgrade' });
  };
}

/** workerd joins lines of `Cookie` by a comma, which no cookie can hold before a name (RFC 6265 §4.1.1). */
function cookieList(value: string): string {
  return value.replace(/, (?=[!#$%&'*+.^_`|~0-9A-Za-z-]+=)/g, '; ');
}
