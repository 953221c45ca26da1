import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Composed } from '../../compose/authorizer.ts';
import type { Received } from '../../http/app.ts';
import { checkOf, type ForwardAuth } from '../../http/forward-auth.ts';

export interface NodeCheckParts {
  /** The wired parts, or null where the app has to answer for them. */
  composed(): Composed | null;
  received(incoming: IncomingMessage, target: string): Received;
}

/**
 * The forward-auth check straight from Node's own message to Node's own answer: the same decision and the same answer as
 * through the app, without a web `Request` and `Response` in between, which on Node cost several times the decision.
 * Returns whether the request was one; every other is left to the app.
 */
export function createNodeCheck({ composed, received }: NodeCheckParts) {
  return (incoming: IncomingMessage, outgoing: ServerResponse, target: string): boolean => {
    const check = checkOf(composed()?.forwardAuth ?? null, target);
    if (check === null) return false;
    answer(check, incoming, outgoing, received(incoming, target)).catch(() => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(503, ['content-length', '0', 'retry-after', '5']).end();
    });
    return true;
  };
}

async function answer(
  check: ForwardAuth,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { context, ...received }: Received,
): Promise<void> {
  const access = { door: 'gateway', method: incoming.method ?? '', ...received } as const;
  const { status, headers, body } = await check(access, context);
  const fields: string[] = [];
  for (const [name, value] of headers) fields.push(name, value);
  const content = body ?? '';
  fields.push('content-length', String(Buffer.byteLength(content)));
  outgoing.writeHead(status, fields).end(content);
}
