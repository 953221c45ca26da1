type Fields = readonly (readonly [string, string])[];

const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** The upstream's answer as the caller gets it: hop-by-hop fields (RFC 9110 §7.6.1) removed, ours set over its own. */
export function answerOf(upstream: Response, ours: Fields): Response {
  if (upstream.status === 101) return upstream;
  const headers = new Headers(upstream.headers);
  for (const name of headers.get('connection')?.split(',') ?? [])
    if (/^[\w-]+$/.test(name.trim())) headers.delete(name.trim());
  for (const name of HOP_BY_HOP) headers.delete(name);
  for (const [name, value] of ours) {
    if (name === 'vary' || name === 'access-control-expose-headers')
      headers.set(name, mergedNames(headers.get(name), value));
    else headers.set(name, value);
  }
  return new Response(upstream.body, { status: upstream.status, statusText: upstream.statusText, headers });
}

/** Both lists of field names, each name once; the service's come first. */
function mergedNames(theirs: string | null, ours: string): string {
  const names = new Map<string, string>();
  for (const name of `${theirs ?? ''},${ours}`.split(',')) {
    const plain = name.trim();
    if (plain !== '' && !names.has(plain.toLowerCase())) names.set(plain.toLowerCase(), plain);
  }
  return [...names.values()].join(', ');
}
