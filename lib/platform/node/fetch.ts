import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Fetch } from '../../decision/ports.ts';
import type { NodeEgress } from './egress.ts';
import { webResponse } from './upstream.ts';

/**
 * `fetch` over Node's own client and guarded agents, as far as lib uses it: follows no redirect, decodes no content coding,
 * keeps no cookies and heeds no proxy variable.
 */
export function createNodeFetch(egress: NodeEgress): Fetch {
  const agents = egress.agents();
  return async (input, { method = 'GET', headers, body, signal } = {}) => {
    const url = new URL(input);
    const secure = url.protocol === 'https:';
    const bytes = body == null ? null : Buffer.from(await new Response(body).arrayBuffer());
    const fields = new Headers(headers);
    fields.set('accept-encoding', 'identity');
    if (bytes !== null) fields.set('content-length', String(bytes.length));
    return new Promise((resolve, reject) => {
      const outgoing = (secure ? httpsRequest : httpRequest)(url, {
        method,
        agent: secure ? agents.https : agents.http,
        headers: Object.fromEntries(fields),
        ...(signal ? { signal } : {}),
      });
      outgoing.once('response', (incoming) => resolve(webResponse(incoming, method)));
      outgoing.once('error', reject);
      outgoing.end(bytes);
    });
  };
}
