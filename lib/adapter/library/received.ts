import type { ClientCertificate } from '../../decision/principal.ts';
import type { AccessRequest, Hop } from '../../decision/request.ts';
import { hopOf, targetOf } from '../workers/request.ts';

/** What the runtime of an application knows about a request's connection, beside the web `Request`. */
export interface Connection {
  /** Request target as it stood on the request line (left out: path and query of the URL). */
  readonly target?: string;
  /** Address of the peer, from its socket and never from a field; null or left out where the runtime does not tell. */
  readonly peerAddress?: string | null;
  /** Whether the connection was TLS; null: unknown (left out: by the URL's scheme). */
  readonly secure?: boolean | null;
  /** A client certificate that the runtime has verified itself. */
  readonly certificate?: ClientCertificate | null;
  /** Keeps put-off work going after the answer (`waitUntil` of a Worker's execution context). */
  waitUntil?(promise: Promise<unknown>): void;
}

/** What a decision gets to know of an application's request. On Workers the edge's own facts count (`request.cf`). */
export function accessOf(request: Request, connection: Connection, door: 'library' | 'gateway'): AccessRequest {
  const found = hopOf(request, request.url);
  const hop: Hop = {
    ...found,
    ...(connection.peerAddress === undefined ? {} : { peerAddress: connection.peerAddress }),
    ...(connection.secure === undefined ? {} : { secure: connection.secure }),
    ...(connection.certificate === undefined ? {} : { certificate: connection.certificate }),
  };
  const target = connection.target ?? targetOf(request.url);
  return { door, method: request.method, target, headers: request.headers, hop };
}
