/** A parsed `traceparent` (W3C Trace Context §3.2): lower-case hexadecimal ids. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Trace flags (§3.2.2.5): bit 0 is `sampled`, bit 1 `random`. */
  readonly flags: number;
}

const SAMPLED = 1;

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
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** Whether the trace is being recorded upstream of us, as far as its sender says. */
export function isSampled({ flags }: TraceContext): boolean {
  return (flags & SAMPLED) === SAMPLED;
}

/** Writes a `traceparent` of version 00 with our own sampling decision; the other flags stay. */
export function formatTraceparent({ traceId, spanId, flags }: TraceContext, sampled: boolean): string {
  const decided = sampled ? flags | SAMPLED : flags & ~SAMPLED;
  return `00-${traceId}-${spanId}-${decided.toString(16).padStart(2, '0')}`;
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
