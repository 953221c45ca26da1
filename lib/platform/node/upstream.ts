import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { Upstream } from '../../decision/ports.ts';
import type { NodeEgress } from './egress.ts';

/**
 * The upstream over Node's own client: bytes pass as they are (no decoding of content codings), connections are kept
 * alive, and the target on the wire is exactly the one that was matched.
 */
export function createNodeUpstream(
  origin: URL,
  options: {
    readonly egress: NodeEgress;
    readonly maximumSockets: number;
  },
): Upstream {
  const secure = origin.protocol === 'https:';
  const agent = options.egress.agents({ maxSockets: options.maximumSockets })[secure ? 'https' : 'http'];
  const connect = secure ? httpsRequest : httpRequest;
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  const port = origin.port === '' ? (secure ? 443 : 80) : Number(origin.port);

  return ({ method, target, fields, body, signal }) =>
    new Promise((resolve, reject) => {
      const headers: string[] = ['host', origin.host];
      let length = false;
      for (const [name, value] of fields) {
        if (name === 'content-length') length = true;
        headers.push(name, value);
      }
      if (body && !length) headers.push('transfer-encoding', 'chunked');
      const outgoing = connect({ host, port, agent, method, path: target, headers, signal });
      outgoing.once('response', (incoming) => resolve(webResponse(incoming, method)));
      outgoing.once('error', reject);
      if (!body) return outgoing.end();
      const source = Readable.fromWeb(body as NodeReadableStream);
      source.once('error', (error) => outgoing.destroy(error));
      return source.pipe(outgoing);
    });
}

const nullBodyStatuses = new Set([204, 205, 304]);

/** An answer of Node's client as the web knows it; bytes and fields as they came. */
export function webResponse(incoming: IncomingMessage, method: string): Response {
  const headers = new Headers();
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '');
  }
  const status = incoming.statusCode ?? 502;
  const bodiless = method === 'HEAD' || nullBodyStatuses.has(status);
  if (bodiless) incoming.resume();
  const body = bodiless ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  return new Response(body, { status, statusText: incoming.statusMessage ?? '', headers });
}
