import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../../lib/observe/metrics.ts';

describe('render', () => {
  test('writes counters, histograms and gauges as the exposition format has them', () => {
    const metrics = createMetrics();
    const decisions = metrics.counter('tgefd_decisions_total', 'Decisions taken.', {
      endpoint: ['discover', 'jobs'],
      outcome: ['allowed', 'denied'],
    });
    const duration = metrics.histogram(
      'tgefd_decision_duration_seconds',
      'Time of a stage.',
      { stage: ['admit'] },
      [0.001, 0.01],
    );
    metrics.gauge('tgefd_key_set_age_seconds', 'Age of the key set.', () => 12.5);
    metrics.gauge('tgefd_outbox_depth', 'Unknown just now.', () => null);
    metrics.counterOf('tgefd_audit_lost_total', 'Records lost.', () => 3);
    decisions.add({ endpoint: 'discover', outcome: 'allowed' });
    decisions.add({ endpoint: 'discover', outcome: 'allowed' }, 2);
    decisions.add({ endpoint: 'jobs', outcome: 'denied' });
    for (const value of [0.001, 0.0011, 5]) duration.observe({ stage: 'admit' }, value);

    expect(metrics.render()).toBe(`# HELP tgefd_decisions_total Decisions taken.
# TYPE tgefd_decisions_total counter
tgefd_decisions_total{endpoint="discover",outcome="allowed"} 3
tgefd_decisions_total{endpoint="jobs",outcome="denied"} 1
# HELP tgefd_decision_duration_seconds Time of a stage.
# TYPE tgefd_decision_duration_seconds histogram
tgefd_decision_duration_seconds_bucket{stage="admit",le="0.001"} 1
tgefd_decision_duration_seconds_bucket{stage="admit",le="0.01"} 2
tgefd_decision_duration_seconds_bucket{stage="admit",le="+Inf"} 3
tgefd_decision_duration_seconds_sum{stage="admit"} 5.0021
tgefd_decision_duration_seconds_count{stage="admit"} 3
# HELP tgefd_key_set_age_seconds Age of the key set.
# TYPE tgefd_key_set_age_seconds gauge
tgefd_key_set_age_seconds 12.5
# HELP tgefd_outbox_depth Unknown just now.
# TYPE tgefd_outbox_depth gauge
# HELP tgefd_audit_lost_total Records lost.
# TYPE tgefd_audit_lost_total counter
tgefd_audit_lost_total 3
`);
  });

  test('goes on counting in the next registry where name and labels are the same, old holders included', () => {
    const first = createMetrics();
    const labels = { outcome: ['allowed', 'denied'] } as const;
    const old = first.counter('c', 'h', labels);
    const oldTimes = first.histogram('t', 'h', {}, [1]);
    old.add({ outcome: 'allowed' });
    oldTimes.observe({}, 0.5);
    first.gauge('g', 'h', () => 1);
    first.counter('gone', 'h', {}).add({});

    const second = first.next();
    second.counter('c', 'h', labels).add({ outcome: 'allowed' });
    second.histogram('t', 'h', {}, [1]).observe({}, 2);
    second.gauge('g', 'h', () => 2);
    second.counter('gone', 'h', { other: ['x'] });
    old.add({ outcome: 'allowed' });
    const page = second.render();
    expect(page).toContain('c{outcome="allowed"} 3\n');
    expect(page).toContain('t_bucket{le="1"} 1\nt_bucket{le="+Inf"} 2\nt_sum 2.5\nt_count 2\n');
    expect(page).toContain('\ng 2\n');
    expect(page).not.toMatch(/^gone /m);
  });

  test('escapes help texts and label values', () => {
    const metrics = createMetrics();
    metrics.counter('c', 'a\\b\nc', { l: ['q"\\\n'] }).add({ l: 'q"\\\n' });
    expect(metrics.render()).toBe('# HELP c a\\\\b\\nc\n# TYPE c counter\nc{l="q\\"\\\\\\n"} 1\n');
  });

  test('writes infinities and not-a-number in the format’s words', () => {
    const metrics = createMetrics();
    metrics.gauge('a', 'h', () => Number.POSITIVE_INFINITY);
    metrics.gauge('b', 'h', () => Number.NEGATIVE_INFINITY);
    metrics.gauge('c', 'h', () => Number.NaN);
    expect(metrics.render()).toMatch(/a \+Inf\n.*b -Inf\n.*c NaN\n/s);
  });

  test('a metric without labels has no braces', () => {
    const metrics = createMetrics();
    metrics.counter('c', 'h', {}).add({});
    metrics.histogram('h', 'h', {}, [1]).observe({}, 0.5);
    expect(metrics.render()).toMatch(/\nc 1\n.*h_bucket\{le="1"\} 1\n.*h_sum 0.5\nh_count 1\n/s);
  });
});

describe('bounds', () => {
  test('label values that no list names are counted as other, however many there are', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 200 }), (subjects) => {
        const metrics = createMetrics();
        const counter = metrics.counter('c', 'h', { endpoint: ['discover'] });
        for (const endpoint of subjects) counter.add({ endpoint });
        const series = metrics.render().split('\n').slice(2, -1);
        expect(series.length).toBeLessThanOrEqual(2);
        expect(series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(subjects.length);
      }),
      { seed: 6 },
    );
  });

  test('names of the prototype are no label values', () => {
    const metrics = createMetrics();
    metrics.counter('c', 'h', { l: [] }).add({ l: '__proto__' });
    expect(metrics.render()).toContain('c{l="other"} 1');
  });

  test('a counter never goes down and never becomes NaN', () => {
    const metrics = createMetrics();
    const counter = metrics.counter('c', 'h', {});
    const histogram = metrics.histogram('h', 'h', {}, [1]);
    for (const amount of [2, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      counter.add({}, amount);
      histogram.observe({}, amount === 2 ? 2 : Number.NaN);
    }
    expect(metrics.render()).toMatch(/\nc 2\n.*h_sum 2\nh_count 1\n/s);
  });
});

test.each<[string, () => unknown]>([
  ['a metric name the format forbids', () => createMetrics().counter('bad-name', 'h', {})],
  ['a label name the format forbids', () => createMetrics().counter('c', 'h', { 'bad-label': [] })],
  ['the reserved label le', () => createMetrics().counter('c', 'h', { le: [] })],
  ['a reserved label prefix', () => createMetrics().counter('c', 'h', { __name: [] })],
  ['descending buckets', () => createMetrics().histogram('h', 'h', {}, [2, 1])],
  ['an infinite bucket', () => createMetrics().histogram('h', 'h', {}, [Number.POSITIVE_INFINITY])],
  [
    'a name registered twice',
    () => {
      const metrics = createMetrics();
      metrics.gauge('c', 'h', () => 1);
      metrics.gauge('c', 'h', () => 1);
    },
  ],
])('refuses %s', (_, register) => {
  expect(register).toThrow(RangeError);
});
