import { boolean, document, integer, ratio, seconds, text, url } from '../../kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Observation” of the configuration. */
export const observation = {
  metricsEnabled: setting({
    name: 'TGEFD_METRICS_ENABLED',
    kind: boolean,
    fallback: false as boolean,
    meaning: 'Whether `/_authorizer/metrics` answers. It requires the metrics scope.',
  }),
  metricsPort: setting({
    name: 'TGEFD_METRICS_PORT',
    only: 'node',
    kind: integer(1, 65_535),
    fallback: null,
    meaning:
      'Second port of `HOST`, where `/_authorizer/metrics` answers without credentials, for a scraper that has none. Let nobody else reach it.',
  }),
  otelEnabled: setting({
    name: 'TGEFD_OTEL_ENABLED',
    kind: boolean,
    fallback: false as boolean,
    meaning: 'Whether spans are exported by OTLP over HTTP, in JSON.',
  }),
  otelEndpoint: setting({
    name: 'TGEFD_OTEL_ENDPOINT',
    kind: url,
    fallback: new URL('http://localhost:4318/v1/traces'),
    meaning: 'Whole URL of the collector, with its path; `http:` for a loopback host only.',
  }),
  otelHeaders: secret({
    name: 'TGEFD_OTEL_HEADERS',
    kind: document('`name=value` pairs separated by commas'),
    meaning: 'Header fields for the collector, sent unchanged. There is no second value while it rotates.',
  }),
  otelServiceName: setting({
    name: 'TGEFD_OTEL_SERVICE_NAME',
    kind: text('a name'),
    fallback: 'tgefd-authorizer',
    meaning: '`service.name` of the spans.',
  }),
  otelSampleRatio: setting({
    name: 'TGEFD_OTEL_SAMPLE_RATIO',
    kind: ratio,
    fallback: 1,
    meaning:
      'Share of traces that are kept. It sets the sampling flag of the `traceparent` that goes upstream, also if no spans are exported. Only a trusted hop keeps its own flag.',
  }),
  otelTimeoutSeconds: setting({
    name: 'TGEFD_OTEL_TIMEOUT_SEC',
    kind: seconds(0.05, 30),
    fallback: 5,
    meaning: 'Deadline of one export. An export is not repeated.',
  }),
  doctorSecret: secret({
    name: 'TGEFD_DOCTOR_SECRET',
    kind: document('at least 32 bytes'),
    meaning:
      'Secret of `doctor ingress`, for a few minutes only. While it is set, a caller with this secret learns which parts of its requests arrived. Remove it afterwards.',
  }),
} as const;
