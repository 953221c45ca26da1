import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Composed } from '../../compose/authorizer.ts';
import type { Received } from '../../http/app.ts';
import { isCheck } from '../../http/forward-auth.ts';

export interface NodeCheckParts {
  /** The wired parts, or null where the app has to answer for them. */
  composed(): Composed | null;
  received(incoming: IncomingMessage, target: string): Received;
}

/**
 * The forward-auth check straight from Node's own message to Node's own answer: the same decision and the same answer as
 * through the app, without a web `Request` and `Response` in between, which on Node cost several times the decision.
 * Gives whether the request was one; every other is left to the app.
 */
export function createNodeCheck({ composed, received }: NodeCheckParts) {
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse, target: string, parts: Composed) => {
    if (!parts.forwardAuth) return;
    const { context, ...rest } = received(incoming, target);
    const access = { door: parts.forwardAuth.proxy, method: incoming.method ?? '', ...rest };
    const { status, headers, body } = await parts.forwardAuth.check(access, context);
    const fields: string[] = [];
    for (const [name, value] of headers) fields.push(name, value);
    const content = body ?? '';
    fields.push('content-length', String(Buffer.byteLength(content)));
    outgoing.writeHead(status, fields).end(content);
  };

  return (incoming: IncomingMessage, outgoing: ServerResponse, target: string): boolean => {
    if (!isCheck(target)) return false;
    const parts = composed();
    if (!parts?.forwardAuth || parts.forwardAuth.proxy === 'envoy') return false;
    answer(incoming, outgoing, target, parts).catch(() => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(503, ['content-length', '0', 'retry-after', '5']).end();
    });
    return true;
  };
}
