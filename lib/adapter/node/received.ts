import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { RequestContext } from '../../decision/ports.ts';
import type { HeaderFields } from '../../decision/request.ts';
import type { Received } from '../../http/app.ts';
import { rawFields } from '../../request/raw-fields.ts';
import { isLoopbackPeer } from '../loopback-peer.ts';
import { clientOf } from './tls.ts';

/** What a decision gets to know of one of Node's messages. */
export function receivedOf(incoming: IncomingMessage, target: string, context: RequestContext): Received {
  const { remoteAddress } = incoming.socket;
  const encrypted = (incoming.socket as TLSSocket).encrypted === true;
  const headers = rawFields(incoming.rawHeaders);
  const { certificate, certificateRefusal } = encrypted ? clientOf(incoming) : NOBODY;
  const hop = {
    peerAddress: remoteAddress ?? null,
    secure: encrypted ? true : isLoopbackPeer(remoteAddress) ? null : false,
    certificate,
    ...(certificateRefusal ? { certificateRefusal } : {}),
  };
  const received = { target, headers, hasBody: hasBody(headers), hop, context };
  // RFC 9112 §3.2: only HTTP/1.0 may leave it out.
  const hasHost = incoming.httpVersion === '1.0' || headers.get('host') !== null;
  return hasHost ? received : { ...received, refused: { reason: 'host_invalid' } };
}

const NOBODY: ReturnType<typeof clientOf> = { certificate: null };

/** RFC 9112 §6.3: a request has a body where one of these fields says so. */
function hasBody(headers: HeaderFields): boolean {
  const length = headers.get('content-length');
  return headers.get('transfer-encoding') !== null || (length !== null && !/^0+$/.test(length));
}
