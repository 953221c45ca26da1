import { type IncomingMessage, ServerResponse } from 'node:http';

/**
 * Node's answer, whose header section always leaves as the bytes that its fields came with. Node writes a section that is
 * flushed alone as UTF-8, which makes two bytes of each byte above 127 (RFC 9110 §5.5, obs-text).
 */
export class ByteServerResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  override flushHeaders(): void {
    if (this.req.method === 'HEAD') super.flushHeaders();
    else this.write(new Uint8Array());
  }
}
