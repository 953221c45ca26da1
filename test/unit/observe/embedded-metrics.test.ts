import { expect, test } from 'vitest';
import { type EmbeddedMetrics, emfLine } from '../../../lib/observe/embedded-metrics.ts';

const decision: EmbeddedMetrics = {
  namespace: 'TGEFD/Authorizer',
  timestampMs: 1_999_999_800_750.9,
  dimensions: { endpoint: 'discover', outcome: 'denied', code: '' },
  metrics: { decisions: { unit: 'Count', value: 1 }, latency: { unit: 'Milliseconds', value: 3.25 } },
  properties: { request_id: 'r-1' },
};

test('writes one line that CloudWatch Logs takes for metrics', () => {
  const line = emfLine(decision);
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    _aws: {
      Timestamp: 1_999_999_800_750,
      CloudWatchMetrics: [
        {
          Namespace: 'TGEFD/Authorizer',
          Dimensions: [['endpoint', 'outcome', 'code']],
          Metrics: [
            { Name: 'decisions', Unit: 'Count' },
            { Name: 'latency', Unit: 'Milliseconds' },
          ],
        },
      ],
    },
    endpoint: 'discover',
    outcome: 'denied',
    code: 'none',
    decisions: 1,
    latency: 3.25,
    request_id: 'r-1',
  });
});

test('leaves out a metric that is not a finite number rather than lose the line', () => {
  const line = JSON.parse(emfLine({ ...decision, metrics: { a: { unit: 'None', value: Number.NaN } } }));
  expect(line._aws.CloudWatchMetrics[0].Metrics).toEqual([]);
  expect(line).not.toHaveProperty('a');
});

test('writes the values of several events', () => {
  const latency = { unit: 'Milliseconds' as const, value: [1.5, 2] };
  expect(JSON.parse(emfLine({ ...decision, metrics: { latency } }))).toMatchObject({ latency: [1.5, 2] });
});

test.each<[string, Partial<EmbeddedMetrics>]>([
  ['more than 100 values of a metric', { metrics: { a: { unit: 'Count', value: Array(101).fill(1) } } }],
  ['a property named as a dimension', { properties: { outcome: 'x' } }],
  ['a property named _aws', { properties: { _aws: 'x' } }],
  ['more than 30 dimensions', { dimensions: Object.fromEntries([...Array(31)].map((_, at) => [`d${at}`, 'v'])) }],
  [
    'more than 100 metrics',
    { metrics: Object.fromEntries([...Array(101)].map((_, at) => [`m${at}`, { unit: 'Count', value: 1 }])) },
  ],
])('refuses %s', (_, change) => {
  expect(() => emfLine({ ...decision, ...change })).toThrow(RangeError);
});
