import type { AuthMethod, Clock, Code, Door, Fetch, Log, RequestContext } from '../decision.ts';
import { type Attributes, type OtlpSpan, otlpDocument, SpanKind } from './otlp.ts';
import { formatTraceparent, inSample, isSampled, newSpanId, parseTraceparent } from './trace-context.ts';

export interface TraceSettings {
  /** Whole URL of the collector's trace receiver, path included (`…/v1/traces`). */
  readonly endpoint: string;
  /** Sent with every export; may hold a credential of the collector. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** Share of traces that are kept, from 0 to 1. */
  readonly sampleRatio: number;
  readonly timeoutMs: number;
}

export interface TraceParts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a trace may tell of a decision: a closed list, so that no identity can slip in. */
export interface TracedDecision {
  readonly decisionId: string;
  readonly requestId: string;
  readonly door: Door;
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

export interface TraceStart {
  /** `traceparent` of the boundary: the trace, and the span that is ours. */
  readonly traceparent: string;
  /** `traceparent` as it came in, or null. */
  readonly inbound: string | null;
  /** Whether a trusted hop spoke: only its sampled flag is followed, or any stranger could fill the collector. */
  readonly trustedHop: boolean;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
}

/** The trace of one request. Every method of one that is not sampled does nothing. */
export interface Trace {
  /** What goes upstream: our span as parent, with the sampling decision. */
  readonly traceparent: string;
  /** Opens a span of one stage under the request's; the function it gives closes it. `client`: a call to another service. */
  stage(name: string, kind?: 'internal' | 'client'): () => void;
  /** Closes the request's span and exports the whole trace once, after the answer. A stage still open is left out. */
  end(decision: TracedDecision, context: RequestContext): void;
}

export interface Tracer {
  begin(start: TraceStart): Trace;
  /** Spans that were never delivered: the collector failed, or too many exports were under way. */
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
export function createTracer(settings: TraceSettings, { fetch, clock, log }: TraceParts): Tracer {
  let exporting = 0;
  let lost = 0;
  let failing = false;

  const failed = (spans: number, cause: string) => {
    lost += spans;
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
      if (failing) log('info', 'trace_export_recovered', { lost });
      failing = false;
    } catch {
      failed(spans.length, 'unreachable');
    } finally {
      exporting -= 1;
    }
  };

  return {
    lost: () => lost,
    begin({ traceparent, inbound, trustedHop, startedAtMs }) {
      const ours = parseTraceparent(traceparent);
      if (ours === null) return { traceparent, stage: () => () => {}, end: () => {} };
      const { traceId, spanId } = ours;
      const caller = parseTraceparent(inbound);
      const parent = caller?.traceId === traceId ? caller : null;
      const sampled = trustedHop && parent !== null ? isSampled(parent) : inSample(traceId, settings.sampleRatio);
      const onward = formatTraceparent(ours, sampled);
      if (!sampled) return { traceparent: onward, stage: () => () => {}, end: () => {} };

      const spans: OtlpSpan[] = [];
      let ended = false;
      return {
        traceparent: onward,
        stage(name, kind = 'internal') {
          const beganMs = clock();
          return () => {
            if (ended) return;
            spans.push({
              traceId,
              spanId: newSpanId(),
              parentSpanId: spanId,
              name,
              kind: kind === 'client' ? SpanKind.client : SpanKind.internal,
              startMs: beganMs,
              endMs: clock(),
              attributes: {},
              error: false,
            });
          };
        },
        end(decision, context) {
          if (ended) return;
          ended = true;
          const method = KNOWN_METHODS.has(decision.method) ? decision.method : '_OTHER';
          spans.push({
            traceId,
            spanId,
            parentSpanId: parent?.spanId ?? null,
            name: decision.pattern === null ? method : `${method} ${decision.pattern}`,
            kind: SpanKind.server,
            startMs: startedAtMs,
            endMs: clock(),
            attributes: attributesOf(decision, method),
            error: decision.status >= 500,
          });
          if (exporting >= MAX_EXPORTS) return failed(spans.length, 'too many exports under way');
          context.defer(deliver(spans));
        },
      };
    },
  };
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
