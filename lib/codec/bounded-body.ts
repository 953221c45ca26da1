/**
 * Reads a body up to a limit and no further, so that an endless body costs no more than the limit.
 * @returns The bytes, or null when the body is longer than `maximumBytes`; the rest is then cancelled, not read.
 * @throws What the stream fails with. With a `signal`, an abort cancels the body, which then counts as ended.
 */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  maximumBytes: number,
  signal: AbortSignal | null = null,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => undefined);
  signal?.addEventListener('abort', stop);
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return joined(chunks, bytes);
      bytes += value.byteLength;
      if (bytes > maximumBytes) {
        stop();
        return null;
      }
      chunks.push(value);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Passes a body on and counts it. Past `maximumBytes` calls `exceeded`, then breaks the stream with what it returns. */
export function limitBody(
  body: ReadableStream<Uint8Array>,
  maximumBytes: number,
  exceeded: () => Error,
): ReadableStream<Uint8Array> {
  let bytes = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > maximumBytes) controller.error(exceeded());
        else controller.enqueue(chunk);
      },
    }),
  );
}

/** The parts of a body in one piece. */
export function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
