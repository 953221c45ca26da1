/** W3C Trace Context: the caller's trace goes on with a span of ours, and whether it is kept is decided here for everybody. */

import { hex } from '../codec/digest.ts';

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_LENGTH = 256;
/** Sampled, and random trace id (Trace Context level 2); other flags are set to zero, as §3.2.2.5 asks. */
const KNOWN_FLAGS = 0x03;
const SAMPLED = 0x01;
const RANDOM_TRACE_ID = 0x02;
const POOL_BYTES = 6_144;

interface InboundTrace {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

/** The place of a request in its trace: our own span, and the caller's where the trace is one that it began. */
export interface TracePlace {
  /** For the upstream: the trace, our span, and whether the trace is kept (version 00). */
  readonly traceparent: string;
  readonly parentSpanId: string | null;
}

/**
 * Takes the value of `traceparent` as received, or null; gives the trace it names, or null where the field is absent,
 * repeated or invalid (Trace Context §3.2.2: a version of `ff`, ids of zeros, upper case, more than version 00 allows).
 */
export function parseTraceparent(value: string | null): InboundTrace | null {
  if (value === null || value.length > MAX_LENGTH) return null;
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & KNOWN_FLAGS };
}

/**
 * Takes the share of traces, 0 to 1, that are kept; gives what places a request in a trace: the caller's trace, or a new
 * one where there is none, and always a new span. Whether a trace is kept, a trusted hop may say; about everybody else's we
 * decide ourselves, or a stranger could fill the collector, or hide from it: by the trace id where it is ours, so that
 * everybody who has the ratio decides alike, and by lot where a stranger chose the id.
 */
export function createTracePlaces(sampleRatio: number): (inbound: string | null, trustedHop: boolean) => TracePlace {
  // Drawn and written in pools, for one draw costs as much as the rest of a boundary; ids of traces are no secrets.
  const bytes = new Uint8Array(POOL_BYTES);
  let pool = '';
  let used = 0;
  const randomHex = (octets: number): string => {
    if (used + octets * 2 > pool.length) {
      pool = hex(crypto.getRandomValues(bytes));
      used = 0;
    }
    used += octets * 2;
    return pool.slice(used - octets * 2, used);
  };
  const drawn = (id: string): number => {
    if (sampleRatio === 0) return 0;
    if (sampleRatio === 1) return SAMPLED;
    return Number.parseInt(id.slice(-8), 16) / 0x100000000 < sampleRatio ? SAMPLED : 0;
  };

  const flagsOf = ({ flags }: InboundTrace, trustedHop: boolean): number =>
    trustedHop ? flags : (flags & ~SAMPLED) | drawn(randomHex(4));

  return (inbound, trustedHop) => {
    const caller = parseTraceparent(inbound);
    const traceId = caller?.traceId ?? randomHex(16);
    const flags = caller === null ? RANDOM_TRACE_ID | drawn(traceId) : flagsOf(caller, trustedHop);
    return { traceparent: `00-${traceId}-${randomHex(8)}-0${flags}`, parentSpanId: caller?.spanId ?? null };
  };
}
