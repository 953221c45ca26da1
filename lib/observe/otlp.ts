/** Attribute values; null leaves the attribute out. */
export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** Span kinds as OTLP numbers them (`opentelemetry.proto.trace.v1.Span.SpanKind`). */
export const SpanKind = { internal: 1, server: 2, client: 3 } as const;

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: (typeof SpanKind)[keyof typeof SpanKind];
  /** Epoch milliseconds, fractions allowed. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly error: boolean;
}

const STATUS_ERROR = 2;
const NANOSECONDS_PER_MICROSECOND = 1000n;

/** An `ExportTraceServiceRequest` in the JSON encoding of OTLP: ids in hexadecimal, 64-bit integers as decimal text. */
export function otlpDocument(serviceName: string, spans: readonly OtlpSpan[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: keyValues({ 'service.name': serviceName }) },
        scopeSpans: [{ scope: { name: 'tgefd-authorizer' }, spans: spans.map(encodeSpan) }],
      },
    ],
  };
}

function encodeSpan({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, error }: OtlpSpan) {
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name,
    kind,
    startTimeUnixNano: nanoseconds(startMs),
    // A clock that is set back must not make a span end before it began.
    endTimeUnixNano: nanoseconds(Math.max(startMs, endMs)),
    attributes: keyValues(attributes),
    status: error ? { code: STATUS_ERROR } : {},
  };
}

function keyValues(attributes: Attributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === null ? [] : [{ key, value: encodeValue(value) }],
  );
}

function encodeValue(value: string | number | boolean) {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function nanoseconds(ms: number) {
  return String(BigInt(Math.round(ms * 1000)) * NANOSECONDS_PER_MICROSECOND);
}
