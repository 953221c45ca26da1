import { expect, test } from 'vitest';
import { type OtlpSpan, otlpDocument, SpanKind } from '../../../lib/observe/otlp.ts';

const span: OtlpSpan = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: null,
  name: 'GET /v1/jobs/{job_id}',
  kind: SpanKind.server,
  startMs: 1_999_999_800_750.125,
  endMs: 1_999_999_800_751,
  attributes: { text: 'a', whole: 7, part: 0.5, flag: true, absent: null },
  error: true,
};

test('writes the JSON encoding of OTLP', () => {
  expect(otlpDocument('tgefd', [span])).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'tgefd' } }] },
        scopeSpans: [
          {
            scope: { name: 'tgefd-authorizer' },
            spans: [
              {
                traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
                spanId: '00f067aa0ba902b7',
                name: 'GET /v1/jobs/{job_id}',
                kind: 2,
                startTimeUnixNano: '1999999800750125000',
                endTimeUnixNano: '1999999800751000000',
                attributes: [
                  { key: 'text', value: { stringValue: 'a' } },
                  { key: 'whole', value: { intValue: '7' } },
                  { key: 'part', value: { doubleValue: 0.5 } },
                  { key: 'flag', value: { boolValue: true } },
                ],
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('no span ends before it began', () => {
  expect(JSON.stringify(otlpDocument('tgefd', [{ ...span, endMs: span.startMs - 10 }]))).toContain(
    '"endTimeUnixNano":"1999999800750125000"',
  );
});
