import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Thrown for an answer that HTTP does not allow. Names the kind only, never the bytes. */
export class AnswerRefused extends Error {
  override readonly name = 'AnswerRefused';
  readonly code: string;
  constructor(what: 'status' | 'reason_phrase' | 'fields' | 'upgrade' | 'none') {
    super(what === 'none' ? 'the connection ended without an answer' : `an answer with an invalid ${what}`);
    this.code = `answer_${what}`;
  }
}

/** RFC 9112 §4: tab, space, visible characters and obs-text. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;
const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/** Whether an answer has no body, whatever its fields say (RFC 9112 §6.3). */
export function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || NULL_BODY_STATUSES.has(status);
}

/** Why this is no answer, or null. A final status is 200 to 599 (RFC 9110 §15). */
export function refusalOf({ statusCode = 0, statusMessage = '' }: IncomingMessage): AnswerRefused | null {
  if (statusCode < 200 || statusCode > 599) return new AnswerRefused('status');
  return REASON_PHRASE.test(statusMessage) ? null : new AnswerRefused('reason_phrase');
}

/**
 * An answer of Node's client as a web `Response`; bytes and fields stay as they came. Throws `AnswerRefused` where a field
 * cannot stand in one.
 */
export function webResponse(incoming: IncomingMessage, method: string): Response {
  const headers = new Headers();
  try {
    for (let at = 0; at < incoming.rawHeaders.length; at += 2)
      headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '');
  } catch {
    incoming.destroy();
    throw new AnswerRefused('fields');
  }
  const status = incoming.statusCode ?? 0;
  const bodiless = isBodiless(method, status);
  if (bodiless) discard(incoming);
  const body = bodiless ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  return new Response(body, { status, statusText: incoming.statusMessage ?? '', headers });
}

/** Lets an empty body end, so that the connection is kept; one that is not empty ends the connection. */
function discard(incoming: IncomingMessage): void {
  incoming.on('error', () => undefined);
  incoming.on('data', () => incoming.destroy());
}
