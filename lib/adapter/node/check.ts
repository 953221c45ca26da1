import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Composed } from '../../compose/authorizer.ts';
import type { Eventually } from '../../decision/steps.ts';
import type { Received } from '../../http/app.ts';
import { checkOf, type ForwardAuth } from '../../http/forward-auth.ts';
import type { Answer } from '../../respond/denial.ts';

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
    try {
      const answer = asked(check, incoming, received(incoming, target));
      if (answer instanceof Promise) answer.then((told) => write(told, outgoing)).catch(() => giveUp(outgoing));
      else write(answer, outgoing);
    } catch {
      giveUp(outgoing);
    }
    return true;
  };
}

function asked(check: ForwardAuth, incoming: IncomingMessage, received: Received): Eventually<Answer> {
  return check({ door: 'gateway', method: incoming.method ?? '', ...received }, received.context);
}

function write({ status, headers, body }: Answer, outgoing: ServerResponse): void {
  const fields: string[] = [];
  for (const field of headers) fields.push(field[0], field[1]);
  fields.push('content-length', body === null ? '0' : String(Buffer.byteLength(body)));
  outgoing.writeHead(status, fields).end(body ?? '');
}

/** A bug of ours is never the caller's. */
function giveUp(outgoing: ServerResponse): void {
  if (outgoing.headersSent) outgoing.destroy();
  else outgoing.writeHead(503, ['content-length', '0', 'retry-after', '5']).end();
}
