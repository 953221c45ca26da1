/** W3C Trace Context: the caller's trace goes on with a span of ours. */

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_LENGTH = 256;
/** Sampled, and random trace id (Trace Context level 2); other flags are set to zero, as §3.2.2.5 asks. */
const KNOWN_FLAGS = 0x03;
const SAMPLED = 0x01;
const RANDOM_TRACE_ID = 0x02;
const POOL_BYTES = 1024;
const HEX: readonly string[] = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

interface InboundTrace {
  readonly traceId: string;
  readonly flags: number;
}

/**
 * Takes the value of `traceparent` as received, or null; gives the trace it names, or null where the field is absent,
 * repeated or invalid (Trace Context §3.2.2: a version of `ff`, ids of zeros, upper case, more than version 00 allows).
 */
export const parseTraceparent = (value: string | null): InboundTrace | null => {
  if (value === null || value.length > MAX_LENGTH) return null;
  const [, version, traceId = '', parentId = '', flags = '', rest] = TRACEPARENT.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  return { traceId, flags: Number.parseInt(flags, 16) & KNOWN_FLAGS };
};

/**
 * Takes the share of new traces (0 to 1) that are marked as sampled; gives what makes the upstream's `traceparent` of the
 * caller's: the same trace and flags, or a new trace where there is none, and always a new span id.
 */
export const createTraceparents = (sampleRatio: number): ((inbound: string | null) => string) => {
  // Drawn in pools, for one draw costs as much as the rest of a boundary; ids of traces are no secrets.
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  const randomHex = (octets: number): string => {
    if (used + octets > POOL_BYTES) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    let hex = '';
    for (const end = used + octets; used < end; used++) hex += HEX[pool[used] ?? 0];
    return hex;
  };

  return (inbound) => {
    const trace = parseTraceparent(inbound) ?? newTrace(randomHex(16), sampleRatio);
    return `00-${trace.traceId}-${randomHex(8)}-${HEX[trace.flags] ?? '00'}`;
  };
};

/** The sampling decision comes from the trace id itself, so that everybody who has the ratio decides alike. */
const newTrace = (traceId: string, sampleRatio: number): InboundTrace => {
  const drawn = Number.parseInt(traceId.slice(-8), 16) / 0x100000000;
  return { traceId, flags: RANDOM_TRACE_ID | (drawn < sampleRatio ? SAMPLED : 0) };
};
