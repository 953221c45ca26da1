/** A parsed `traceparent` (W3C Trace Context §3.2): lower-case hexadecimal ids. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/**
 * Reads a `traceparent` field value, or gives null. As §4.3 demands, a version later than 00 may carry more after the flags
 * and version 00 may not.
 */
export function parseTraceparent(value: string | null): TraceContext | null {
  const parts = value === null ? null : TRACEPARENT.exec(value);
  const [whole, traceId, spanId, flags] = parts ?? [];
  if (whole === undefined || traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (whole.startsWith('00') && whole.length !== 55) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Writes a `traceparent` of version 00. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** A fresh span id: 8 random bytes, never all zero. */
export function newSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  if (bytes.every((byte) => byte === 0)) bytes[7] = 1;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Whether a trace belongs to the sampled share of all traces. Decided by the trace id's last 52 bits alone, so that every
 * service with the same ratio decides alike.
 */
export function inSample(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) / 2 ** 52 < ratio;
}
