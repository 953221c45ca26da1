/** Why an upload ended before its end; null while nothing is wrong. */
export type UploadFault = 'too_large' | 'broken' | null;

export interface Upload {
  /** The body for the upstream, or null where there is none. */
  readonly stream: ReadableStream<Uint8Array> | null;
  fault(): UploadFault;
  /** Whether the caller is being waited for, and not the upstream. */
  waitsForCaller(): boolean;
}

export interface UploadParts {
  /** Longest body in bytes; 0: no limit. */
  readonly limitBytes: number;
  /** The upstream takes bytes, or the caller has sent some. */
  moved(): void;
  /** The caller has sent its last byte. */
  sent(): void;
  /** Called before the stream errs: a runtime may end a broken body as if it were whole. */
  broken(): void;
}

/**
 * Passes a body on as it is asked for, and tells how it moves. Breaks it off once it has grown past the limit. Holds one
 * chunk at most.
 */
export function createUpload(body: ReadableStream<Uint8Array> | null, parts: UploadParts): Upload {
  let fault: UploadFault = null;
  let waiting = false;
  if (body === null) return { stream: null, fault: () => null, waitsForCaller: () => false };
  const reader = body.getReader();
  let seenBytes = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        parts.moved();
        waiting = true;
        const { done, value } = await reader.read().catch((error: unknown) => {
          fault = 'broken';
          parts.broken();
          throw error;
        });
        waiting = false;
        if (done) {
          parts.sent();
          return controller.close();
        }
        seenBytes += value.byteLength;
        if (parts.limitBytes > 0 && seenBytes > parts.limitBytes) {
          fault = 'too_large';
          parts.broken();
          throw new Error('body too large');
        }
        parts.moved();
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, fault: () => fault, waitsForCaller: () => waiting };
}
