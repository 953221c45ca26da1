import { type IncomingMessage, ServerResponse } from 'node:http';
import { rememberAnswer } from './latest-answers.ts';

/**
 * Node's answer, whose header section always leaves as the bytes that its fields came with. Node writes a section that is
 * flushed alone as UTF-8, which makes two bytes of each byte above 127 (RFC 9110 §5.5, obs-text). Each is remembered as the latest
 * of its connection.
 */
export class ByteServerResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  // Node hands in more than its types say.
  constructor(incoming: Request, ...options: []) {
    super(incoming, ...options);
    rememberAnswer(incoming, this);
  }

  /** The listener's own answer to a body that broke before the header section left: the caller's connection breaks off too. */
  override writeHead(...args: [number, ...unknown[]]): this {
    if (!isListenersError(args)) return super.writeHead(...(args as [number]));
    this.destroy();
    return this;
  }

  override flushHeaders(): void {
    if (this.req.method === 'HEAD') super.flushHeaders();
    else this.write(new Uint8Array());
  }
}

/** A 500 of plain text and nothing else is never an answer of ours: those have an id, and so have the upstream's. */
function isListenersError([status, fields]: readonly unknown[]): boolean {
  if (status !== 500 || typeof fields !== 'object' || fields === null || Array.isArray(fields)) return false;
  return Object.keys(fields).join() === 'Content-Type';
}
