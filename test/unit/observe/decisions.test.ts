import { expect, test } from 'vitest';
import type { Decision } from '../../../lib/decision/outcome.ts';
import type { DecisionObserver, RequestContext } from '../../../lib/decision/ports.ts';
import type { Reason } from '../../../lib/decision/reason.ts';
import { createDecisionWatch } from '../../../lib/observe/decisions.ts';
import { createMetrics } from '../../../lib/observe/metrics.ts';
import type { TracedRequest } from '../../../lib/observe/traces.ts';
import { codeOf, codes } from '../../../lib/respond/denial.ts';
import { decision } from '../archive/fixtures.ts';

const NOW_MS = 1_999_999_800_000;
const context: RequestContext = { defer: () => {} };

/** A watch whose time is set by hand, and everything that it told. */
function watching(messages = false) {
  let elapsedMs = 0;
  const metrics = createMetrics();
  const traced: TracedRequest[] = [];
  const begin = createDecisionWatch(
    { actions: ['evaluate', 'jobs'], codes, messages },
    {
      metrics,
      tracer: { export: (request) => traced.push(request), lost: () => 3 },
      clock: () => NOW_MS,
      stopwatch: () => 500 + elapsedMs,
      codeOf,
    },
  );
  const after = (milliseconds: number) => {
    elapsedMs += milliseconds;
  };
  const line = (start: string) =>
    metrics
      .render()
      .split('\n')
      .filter((one) => one.startsWith(start));
  return { begin, after, traced, line, page: () => metrics.render() };
}

function walk(watch: DecisionObserver, after: (milliseconds: number) => void) {
  for (const [stage, milliseconds] of [
    ['boundary', 0.2],
    ['authenticate', 3],
    ['admit', 40],
  ] as const) {
    after(milliseconds);
    watch.mark(stage);
  }
}

const allowed = decision({ path: '/v1/evaluate/of-alice' });

test('an allowed decision is counted once, and each of its stages timed', () => {
  const { begin, after, line } = watching();
  const watch = begin();
  walk(watch, after);
  watch.decided(allowed, null, context);
  watch.answered(allowed, 200, 75, context);
  expect(line('tgefd_decisions_total')).toEqual([
    'tgefd_decisions_total{endpoint="evaluate",outcome="allowed",code="none",auth_method="jwt",degraded="none"} 1',
  ]);
  expect(line('tgefd_decision_duration_seconds_sum')).toEqual([
    expect.stringMatching(/\{stage="boundary"\} 0\.000[12]/),
    expect.stringMatching(/\{stage="authenticate"\} 0\.003/),
    expect.stringMatching(/\{stage="admit"\} 0\.040?/),
    expect.stringMatching(/\{stage="total"\} 0\.043/),
  ]);
  expect(line('tgefd_upstream_duration_seconds_sum')).toEqual(['tgefd_upstream_duration_seconds_sum 0.075']);
});

test('a decision whose record was lost is counted as what the caller gets', async () => {
  const { begin, after, line, traced } = watching();
  const watch = begin();
  const recorded = Promise.resolve('unavailable' as const);
  watch.decided(allowed, recorded, context);
  expect(line('tgefd_decisions_total')).toEqual([]);
  after(9);
  await recorded;
  expect(line('tgefd_decisions_total{')[0]).toContain('outcome="denied",code="audit_unavailable"');
  expect(line('tgefd_decision_duration_seconds_sum{stage="record"}')).toHaveLength(1);
  watch.answered(allowed, 503, null, context);
  expect(traced[0]?.decision).toMatchObject({ outcome: 'denied', code: 'audit_unavailable', status: 503 });
});

test('a denial tells its code, and what no list knows is `other`', () => {
  const { begin, line } = watching();
  const denied: Decision = {
    ...allowed,
    endpoint: null,
    denial: { reason: 'budget_exhausted', budget: 'heavy', retryAfterSeconds: 3 },
    degraded: ['limits_local', 'keys_stale'],
  };
  begin().decided(denied, null, context);
  const unlisted = { ...allowed, endpoint: allowed.endpoint && { ...allowed.endpoint, action: 'alice@example.test' } };
  begin().decided(unlisted, null, context);
  expect(line('tgefd_decisions_total')).toEqual([
    'tgefd_decisions_total{endpoint="none",outcome="denied",code="rate_limited",auth_method="jwt",degraded="limits_local"} 1',
    'tgefd_decisions_total{endpoint="other",outcome="allowed",code="none",auth_method="jwt",degraded="none"} 1',
  ]);
});

test('a trace tells the stages one after the other, and the upstream last', () => {
  const { begin, after, traced } = watching();
  const watch = begin();
  walk(watch, after);
  watch.decided(allowed, null, context);
  after(80);
  watch.answered(allowed, 200, 75, context);
  const [request] = traced;
  expect(request).toMatchObject({
    traceparent: allowed.boundary.traceparent,
    parentSpanId: null,
    startMs: NOW_MS,
    decision: { decisionId: allowed.id, action: 'evaluate', outcome: 'allowed', code: null, status: 200 },
  });
  expect(request?.endMs).toBeCloseTo(NOW_MS + 123.2, 3);
  expect(request?.stages.map(({ name, kind }) => [name, kind])).toEqual([
    ['boundary', 'internal'],
    ['authenticate', 'internal'],
    ['admit', 'internal'],
    ['upstream', 'client'],
  ]);
  for (const [at, { startMs, endMs }] of (request?.stages ?? []).entries()) {
    expect(endMs).toBeGreaterThan(startMs);
    if (at === 3) expect(endMs - startMs).toBeCloseTo(75, 3);
    else if (at > 0) expect(startMs).toBeCloseTo(request?.stages[at - 1]?.endMs ?? 0, 6);
  }
});

test('nothing that tells who called, or what exactly for, gets out', () => {
  const { begin, page, traced } = watching();
  const watch = begin();
  watch.decided(allowed, null, context);
  watch.answered(allowed, 200, null, context);
  const out = page() + JSON.stringify(traced);
  for (const told of [allowed.principal?.subject, allowed.path, allowed.boundary.clientAddress]) {
    expect(told).toBeTruthy();
    if (told !== allowed.pattern) expect(out).not.toContain(told);
  }
});

test.each<[Reason, string | null]>([
  [{ reason: 'mcp_field_invalid', field: 'mcp-name', problem: 'too_long' }, 'field_too_long'],
  [{ reason: 'mcp_field_invalid', field: 'mcp-protocol-version', problem: 'unsupported' }, 'version_unsupported'],
  [{ reason: 'mcp_mismatch', field: 'mcp-name' }, 'field_mismatch'],
  [{ reason: 'mcp_body_invalid', problem: 'json' }, 'body_json'],
  [{ reason: 'endpoint_unknown', unknown: 'method' }, 'method_unknown'],
  [{ reason: 'endpoint_unknown', unknown: 'name' }, 'name_unknown'],
  [{ reason: 'endpoint_unknown' }, null],
  [{ reason: 'scope_missing', scope: 'x' }, null],
])('counts a refused message of MCP by what is wrong: %o', (denial, reason) => {
  const { begin, line } = watching(true);
  begin().decided(decision({ denial }), null, context);
  expect(line('tgefd_mcp_refusals_total')).toEqual(
    reason === null ? [] : [`tgefd_mcp_refusals_total{reason="${reason}"} 1`],
  );
});

test('counts no messages where no row is chosen by them', () => {
  const { page } = watching();
  expect(page()).not.toContain('tgefd_mcp_refusals_total');
});
