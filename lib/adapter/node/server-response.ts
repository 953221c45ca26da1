import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { ServerResponse } from 'node:http';
import type { ForwardedAnswer } from '../../decision/request.ts';
import { rememberAnswer } from './latest-answers.ts';

/**
 * Node's answer, whose header section always leaves as the bytes that its fields came with. Node writes a section that is
 * flushed alone as UTF-8, which makes two bytes of each byte above 127 (RFC 9110 §5.5, obs-text). Each is remembered as the latest
 * of its connection.
 */
export class ByteServerResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** What is known of the service's answer, where it is one. */
  forwarded: ForwardedAnswer | null = null;
  #isReplaced = false;

  // Node hands in more than its types say.
  constructor(incoming: Request, ...options: []) {
    super(incoming, ...options);
    rememberAnswer(incoming, this);
  }

  /**
   * The listener's own answer to a body that broke before the header section left is replaced; where there is nothing to put
   * in its place, the caller's connection breaks off too. The media type that the listener adds to an answer without one is left out.
   */
  override writeHead(...args: [number, ...unknown[]]): this {
    const [, fields] = args;
    if (isListenersError(args)) return this.#replace();
    if (this.forwarded?.hasType === false && isRecord(fields)) delete fields['content-type'];
    return super.writeHead(...(args as [number]));
  }

  /** The listener ends and destroys what it takes for its own answer: that one has left already. */
  override end(...args: unknown[]): this {
    return this.#isReplaced ? this : super.end(...(args as []));
  }

  override destroy(error?: Error): this {
    return this.#isReplaced ? this : super.destroy(error);
  }

  override flushHeaders(): void {
    if (this.req.method === 'HEAD') super.flushHeaders();
    else this.write(new Uint8Array());
  }

  #replace(): this {
    if (this.forwarded === null) return this.destroy();
    const { status, headers, body } = this.forwarded.instead();
    const content = Buffer.from(body ?? '');
    super.writeHead(status, [...headers.flat(), 'content-length', String(content.length), 'connection', 'close']);
    super.end(content);
    this.#isReplaced = true;
    return this;
  }
}

/** A 500 of plain text and nothing else is never an answer of ours: those have an id, and so have the upstream's. */
function isListenersError([status, fields]: readonly unknown[]): boolean {
  return status === 500 && isRecord(fields) && Object.keys(fields).join() === 'Content-Type';
}

function isRecord(fields: unknown): fields is OutgoingHttpHeaders {
  return typeof fields === 'object' && fields !== null && !Array.isArray(fields);
}
