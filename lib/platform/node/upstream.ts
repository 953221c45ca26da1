import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { TLSSocket } from 'node:tls';
import type { Upstream } from '../../decision/ports.ts';
import { webResponse } from './client/answer.ts';
import { createConnectionSlots } from './client/connection-slots.ts';
import { exchange } from './client/exchange.ts';
import { switchedResponse } from './client/tunnel.ts';
import type { NodeEgress } from './egress.ts';

/**
 * The upstream over Node's own client: bytes pass as they are (no decoding of content codings), connections are kept
 * alive, and the target on the wire is exactly the one that was matched. Beyond `maximumSockets` requests wait, as long as
 * their signal lets them.
 */
export function createNodeUpstream(
  origin: URL,
  options: {
    readonly egress: NodeEgress;
    readonly maximumSockets: number;
  },
): Upstream {
  const secure = origin.protocol === 'https:';
  const scheme = secure ? 'https' : 'http';
  const agents = {
    kept: options.egress.agents({ maxFreeSockets: options.maximumSockets })[scheme],
    fresh: options.egress.agents({ keepAlive: false })[scheme],
  };
  const slots = createConnectionSlots(options.maximumSockets);
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  const port = origin.port === '' ? (secure ? 443 : 80) : Number(origin.port);

  return async ({ method, target, fields, body, length, upgrade, signal }) => {
    const headers: string[] = ['host', origin.host];
    for (const [name, value] of fields) headers.push(name, value);
    if (length !== null) headers.push('content-length', String(length));
    else if (body) headers.push('transfer-encoding', 'chunked');
    // RFC 9110 §8.6: Node would announce chunks that never come.
    else if (EXPECTS_BODY.has(method)) headers.push('content-length', '0');
    if (upgrade) headers.push('connection', 'upgrade', 'upgrade', upgrade);
    await slots.take(signal);
    const { incoming, taken } = await exchange({
      secure,
      host,
      port,
      method,
      path: target,
      headers,
      agents,
      signal,
      repeatable: body === null,
      upgrade: upgrade !== null,
      ended: slots.release,
      send: (outgoing) => (body ? sendBody(outgoing, body, secure) : outgoing.end()),
    });
    return taken ? switchedResponse(incoming, taken) : webResponse(incoming, method);
  };
}

const EXPECTS_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Takes nothing of the body before there is a connection for it: the time until then is the upstream's. */
function sendBody(outgoing: ClientRequest, body: ReadableStream<Uint8Array>, secure: boolean): void {
  const start = () => {
    const source = Readable.fromWeb(body as NodeReadableStream);
    source.on('error', (error) => outgoing.destroy(error));
    outgoing.once('close', () => source.destroy());
    source.pipe(outgoing);
  };
  outgoing.once('socket', (socket: Socket | TLSSocket) => {
    if (socket.connecting || (secure && !outgoing.reusedSocket && !isSecured(socket)))
      socket.once(secure ? 'secureConnect' : 'connect', start);
    else start();
  });
}

function isSecured(socket: Socket | TLSSocket): boolean {
  return 'getProtocol' in socket && socket.getProtocol() !== null;
}
