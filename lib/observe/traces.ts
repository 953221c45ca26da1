import type { Fetch, Log, RequestContext } from '../decision/ports.ts';
import type { AuthMethod } from '../decision/principal.ts';
import type { Code } from '../decision/reason.ts';
import type { RequestSource } from '../decision/request.ts';
import { type Attributes, type OtlpSpan, otlpDocument, SpanKind } from './otlp.ts';

export interface TraceSettings {
  /** Whole URL of the collector's trace receiver, path included (`…/v1/traces`). */
  readonly endpoint: string;
  /** Sent with every export; may hold a credential of the collector. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly timeoutMs: number;
}

export interface TraceParts {
  readonly fetch: Fetch;
  readonly log: Log;
}

/** What a trace may tell of a decision: a closed list, so that no identity can slip in. */
export interface TracedDecision {
  readonly decisionId: string;
  readonly requestId: string;
  readonly door: RequestSource;
  readonly method: string;
  /** Path pattern of the endpoint table, or null; never the path. */
  readonly pattern: string | null;
  readonly action: string | null;
  readonly authMethod: AuthMethod;
  readonly outcome: 'allowed' | 'denied';
  readonly code: Code | null;
  /** Status of the answer. */
  readonly status: number;
}

/** One stage of a request, in epoch milliseconds, fractions allowed. `client`: a call to another service. */
export interface TracedStage {
  readonly name: string;
  readonly kind: 'internal' | 'client';
  readonly startMs: number;
  readonly endMs: number;
}

/** A request that has been answered. */
export interface TracedRequest {
  /** `traceparent` of the boundary: the trace, the span that is ours, and whether the trace is kept. */
  readonly traceparent: string;
  readonly parentSpanId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly stages: readonly TracedStage[];
  readonly decision: TracedDecision;
}

/** Spans that were never delivered: counted on by the next tracer of the same process. */
export interface SpanTally {
  lost: number;
}

export interface Tracer {
  /** Exports the spans of one request after its answer, if its trace is kept. */
  export(request: TracedRequest, context: RequestContext): void;
  /** Spans that were never delivered so far: the collector failed, or too many exports were under way. */
  lost(): number;
}

/** Exports under way at once, per process or isolate. Beyond it spans are dropped: tracing never queues behind itself. */
const MAX_EXPORTS = 32;
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/**
 * Makes the tracer: spans of a decision and its stages as OTLP over HTTP in JSON, one export per request through
 * `context.defer`. Never throws and never delays an answer; an export is tried once. A collector that fails is logged once,
 * and once more when it is back.
 */
export function createTracer(settings: TraceSettings, { fetch, log }: TraceParts, tally: SpanTally): Tracer {
  let exporting = 0;
  let failing = false;

  const failed = (spans: number, cause: string) => {
    tally.lost += spans;
    if (!failing) log('warn', 'trace_export_failing', { cause });
    failing = true;
  };

  const deliver = async (spans: readonly OtlpSpan[]) => {
    exporting += 1;
    try {
      const response = await fetch(settings.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...settings.headers },
        body: JSON.stringify(otlpDocument(settings.serviceName, spans)),
        signal: AbortSignal.timeout(settings.timeoutMs),
      });
      await response.body?.cancel();
      if (!response.ok) return failed(spans.length, `status ${response.status}`);
      if (failing) log('info', 'trace_export_recovered', { lost: tally.lost });
      failing = false;
    } catch {
      failed(spans.length, 'unreachable');
    } finally {
      exporting -= 1;
    }
  };

  return {
    lost: () => tally.lost,
    export(request, context) {
      const { traceId, spanId, kept } = ownTrace(request.traceparent);
      if (!kept) return;
      const spans = spansOf(request, traceId, spanId);
      if (exporting >= MAX_EXPORTS) return failed(spans.length, 'too many exports under way');
      context.defer(deliver(spans));
    },
  };
}

/** The spans of the stages, and the span of the whole request that they belong to. */
function spansOf(request: TracedRequest, traceId: string, spanId: string): readonly OtlpSpan[] {
  const { decision } = request;
  const method = KNOWN_METHODS.has(decision.method) ? decision.method : '_OTHER';
  const stages = request.stages.map(
    ({ name, kind, startMs, endMs }): OtlpSpan => ({
      traceId,
      spanId: newSpanId(),
      parentSpanId: spanId,
      name,
      kind: kind === 'client' ? SpanKind.client : SpanKind.internal,
      startMs,
      endMs,
      attributes: {},
      error: false,
    }),
  );
  const whole: OtlpSpan = {
    traceId,
    spanId,
    parentSpanId: request.parentSpanId,
    name: decision.pattern === null ? method : `${method} ${decision.pattern}`,
    kind: SpanKind.server,
    startMs: request.startMs,
    endMs: request.endMs,
    attributes: attributesOf(decision, method),
    error: decision.status >= 500,
  };
  return [...stages, whole];
}

/** Reads a `traceparent` of the boundary's own making: version 00, valid; an empty one (nothing was examined) is not kept. */
function ownTrace(traceparent: string) {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    kept: (Number.parseInt(traceparent.slice(53), 16) & 1) === 1,
  };
}

/** A fresh span id: 8 random bytes, never all zero. */
function newSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  if (bytes.every((byte) => byte === 0)) bytes[7] = 1;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function attributesOf(decision: TracedDecision, method: string): Attributes {
  return {
    'http.request.method': method,
    'http.response.status_code': decision.status,
    'http.route': decision.pattern,
    'tgefd.action': decision.action,
    'tgefd.auth_method': decision.authMethod,
    'tgefd.code': decision.code,
    'tgefd.decision_id': decision.decisionId,
    'tgefd.door': decision.door,
    'tgefd.outcome': decision.outcome,
    'tgefd.request_id': decision.requestId,
  };
}
