import type { Fetch } from '../../decision/ports.ts';
import { webResponse } from './client/answer.ts';
import { exchange } from './client/exchange.ts';
import type { NodeEgress } from './egress.ts';

/**
 * `fetch` over Node's own client and guarded agents, as far as lib uses it: follows no redirect, decodes no content coding,
 * keeps no cookies and heeds no proxy variable. A request without a body is repeatable, see `exchange`.
 */
export function createNodeFetch(egress: NodeEgress): Fetch {
  const [kept, fresh] = [egress.agents(), egress.agents({ keepAlive: false })];
  return async (input, { method = 'GET', headers, body, signal } = {}) => {
    const url = new URL(input);
    const scheme = url.protocol === 'https:' ? 'https' : 'http';
    const bytes = body == null ? null : Buffer.from(await new Response(body).arrayBuffer());
    const fields = new Headers(headers);
    fields.set('accept-encoding', 'identity');
    if (bytes !== null) fields.set('content-length', String(bytes.length));
    const { incoming } = await exchange({
      secure: scheme === 'https',
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port),
      method,
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, ...Object.fromEntries(fields) },
      agents: { kept: kept[scheme], fresh: fresh[scheme] },
      signal: signal ?? null,
      repeatable: bytes === null,
      upgrade: false,
      send: (outgoing) => void outgoing.end(bytes),
    });
    return webResponse(incoming, method);
  };
}
