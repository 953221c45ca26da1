import { describe, expect, it } from 'vitest';
import { createDecisionMetrics } from '../../../../lib/adapter/lambda/metrics.ts';
import type { Decision } from '../../../../lib/decision/outcome.ts';

function decision(atMs: number, change: Partial<Decision> = {}): Decision {
  return {
    id: 'd',
    atMs,
    latencyMs: 2,
    door: 'lambda_http_2',
    endpoint: null,
    denial: null,
    degraded: [],
    ...change,
  } as Decision;
}
function gathering() {
  const lines: string[] = [];
  const metrics = createDecisionMetrics('authorizer', (line) => void lines.push(line));
  return { metrics, read: () => lines.map((line) => JSON.parse(line)) };
}

describe('decisions for CloudWatch', () => {
  it('are gathered while they are plain permissions, for ten seconds', () => {
    const { metrics, read } = gathering();
    for (const atMs of [0, 5_000, 9_999]) metrics.count(decision(atMs), 200);
    expect(read()).toEqual([]);
    metrics.count(decision(10_000), 200);
    expect(read()).toMatchObject([{ FunctionName: 'authorizer', Decisions: 4, Denials: 0, LatencyMs: [2, 2, 2, 2] }]);
  });

  it('are written after a hundred, as many as a line can hold', () => {
    const { metrics, read } = gathering();
    for (let number = 0; number < 250; number++) metrics.count(decision(0), 200);
    metrics.flush();
    metrics.flush();
    expect(read().map(({ Decisions }) => Decisions)).toEqual([100, 100, 50]);
  });

  it.each([
    [
      'a denial',
      decision(0, { denial: { reason: 'endpoint_unknown' } }),
      404,
      { Denials: 1, Unavailable: 0, Degraded: 0 },
    ],
    ['an outage', decision(0), 503, { Denials: 1, Unavailable: 1, Degraded: 0 }],
    [
      'a degraded permission',
      decision(0, { degraded: ['limits_local'] }),
      200,
      { Denials: 0, Unavailable: 0, Degraded: 1 },
    ],
  ])('are written at once with %s, and it is named', (_, last, status, counts) => {
    const { metrics, read } = gathering();
    metrics.count(decision(0), 200);
    metrics.count(last, status);
    expect(read()).toMatchObject([{ Decisions: 2, ...counts, decision_id: 'd', status }]);
  });
});
