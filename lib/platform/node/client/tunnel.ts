import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { AnswerRefused } from './answer.ts';

/** A connection that the upstream has switched to another protocol (RFC 9110 §7.8). */
export interface Tunnel {
  readonly socket: Duplex;
  /** What came behind the header section. */
  readonly head: Buffer;
  /** Fields of the upstream's 101, names and values in turn. */
  readonly fields: readonly string[];
}

const tunnels = new WeakMap<Response, Tunnel>();

/** The tunnel behind a 101 of `switchedResponse`, or undefined. */
export function tunnelOf(response: Response): Tunnel | undefined {
  return tunnels.get(response);
}

/** A 101 as the web knows it, which Node's `Response` cannot be made with. Throws where it is no switch to WebSocket. */
export function switchedResponse(
  incoming: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Response {
  if (incoming.headers.upgrade?.toLowerCase() !== 'websocket') {
    socket.destroy();
    throw new AnswerRefused('upgrade');
  }
  const response = Object.defineProperty(new Response(null), 'status', { value: 101 });
  tunnels.set(response, { socket, head, fields: incoming.rawHeaders });
  return response;
}
