import { joined } from '../codec/bounded-body.ts';
import type { AccessRequest, ReadBody } from '../decision/request.ts';

/** Bodies that a decision has read, by the function that read them. */
const kept = new WeakMap<ReadBody, Uint8Array<ArrayBuffer>>();

/** The request with a body that can be read ahead of the upstream, once; each part of it must come in `idleTimeoutMs`. */
export function keepingBody(access: AccessRequest, request: Request, idleTimeoutMs: number): AccessRequest {
  const readBody: ReadBody = async (maximumBytes) => {
    const body = await readPatiently(request.body, maximumBytes, idleTimeoutMs);
    if (typeof body !== 'string') kept.set(readBody, body);
    return body;
  };
  return { ...access, readBody };
}

/** The body for the upstream: what was kept of it, else the stream itself. */
export function bodyOf({ readBody }: AccessRequest, request: Request): ReadableStream<Uint8Array> | null {
  const bytes = readBody && kept.get(readBody);
  if (bytes === undefined) return request.body;
  return new ReadableStream({
    start(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function readPatiently(
  body: ReadableStream<Uint8Array> | null,
  maximumBytes: number,
  idleTimeoutMs: number,
): Promise<Uint8Array<ArrayBuffer> | 'too_long' | 'stalled'> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(resolve, idleTimeoutMs, 'late');
      });
      const part = await Promise.race([reader.read(), late]);
      clearTimeout(timer);
      if (part === 'late') break;
      if (part.done) return joined(chunks, bytes);
      bytes += part.value.byteLength;
      if (bytes > maximumBytes) {
        void reader.cancel().catch(() => undefined);
        return 'too_long';
      }
      chunks.push(part.value);
    }
  } catch {
    // The caller is gone, or the framing of the body broke.
  } finally {
    clearTimeout(timer);
  }
  void reader.cancel().catch(() => undefined);
  return 'stalled';
}
