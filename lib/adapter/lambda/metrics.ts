import type { Decision } from '../../decision/outcome.ts';
import { emfLine } from '../../observe/embedded-metrics.ts';

export interface DecisionMetrics {
  /** Counts one decision and the status it was told with. */
  count(decision: Decision, status: number): void;
  /** Writes what has been counted since the last line, if anything. */
  flush(): void;
}

/** As many values as one line may hold. */
const MAXIMUM_DECISIONS = 100;
const MAXIMUM_AGE_MS = 10_000;

/**
 * Decisions for CloudWatch, by function alone, so that alarms need no list of values. A denial or a degraded decision is written at
 * once; plain permissions are gathered for ten seconds or a hundred decisions, for a line each would cost more than the
 * decision. Lost with an instance that is killed: the permissions of its last ten seconds.
 */
export function createDecisionMetrics(functionName: string, line: (line: string) => void): DecisionMetrics {
  let latenciesMs: number[] = [];
  let sinceMs = 0;

  const write = (timestampMs: number, last: { decision: Decision; status: number } | null) => {
    const count = (value: number | boolean) => ({ unit: 'Count' as const, value: Number(value) });
    const { denial = null, degraded = [] } = last?.decision ?? {};
    const text = emfLine({
      namespace: 'Tgefd/Authorizer',
      timestampMs,
      dimensions: { FunctionName: functionName },
      metrics: {
        Decisions: count(latenciesMs.length),
        Denials: count(last !== null && last.status !== 200),
        Unavailable: count(last !== null && last.status >= 500),
        Degraded: count(degraded.length > 0),
        LatencyMs: { unit: 'Milliseconds', value: latenciesMs },
      },
      ...(last && {
        properties: {
          decision_id: last.decision.id,
          door: last.decision.door,
          endpoint: last.decision.endpoint?.action ?? null,
          status: last.status,
          reason: denial?.reason ?? null,
          degraded: degraded.join(' '),
        },
      }),
    });
    latenciesMs = [];
    line(text);
  };

  return {
    count(decision, status) {
      if (latenciesMs.length === 0) sinceMs = decision.atMs;
      latenciesMs.push(decision.latencyMs);
      if (status !== 200 || decision.degraded.length > 0) write(decision.atMs, { decision, status });
      else if (latenciesMs.length === MAXIMUM_DECISIONS || decision.atMs - sinceMs >= MAXIMUM_AGE_MS) {
        write(decision.atMs, null);
      }
    },
    flush: () => {
      if (latenciesMs.length > 0) write(sinceMs, null);
    },
  };
}
