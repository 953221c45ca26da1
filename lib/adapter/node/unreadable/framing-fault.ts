import type { IncomingMessage } from 'node:http';

/**
 * What of a request's framing Node reads and we do not take, or null. A version other than 1.0 and 1.1 is not spoken on this
 * connection. `Transfer-Encoding` is `chunked` alone, since no other coding would be undone on the way, and HTTP/1.0 has
 * none (RFC 9112 §6.1).
 */
export function framingFault({ httpVersion, rawHeaders }: IncomingMessage): 'version' | 'transfer_coding' | null {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'version';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length !== 17 || rawHeaders[at]?.toLowerCase() !== 'transfer-encoding') continue;
    if (httpVersion === '1.0' || rawHeaders[at + 1]?.toLowerCase() !== 'chunked') return 'transfer_coding';
  }
  return null;
}
