import type { Decision, Stage } from '../decision/outcome.ts';
import type { Clock, DecisionObserver, RequestContext } from '../decision/ports.ts';
import type { AuthMethod } from '../decision/principal.ts';
import type { Code, Degradation, Reason } from '../decision/reason.ts';
import { countMessageRefusals } from './message-refusals.ts';
import { type Metrics, STAGE_BUCKETS_SECONDS } from './metrics.ts';
import type { TracedDecision, TracedStage, Tracer } from './traces.ts';

/** The lists that keep label values closed. */
export interface DecisionLabels {
  /** Actions of the endpoint table. */
  readonly actions: readonly string[];
  readonly codes: readonly Code[];
  /** Whether a row is chosen by messages of MCP: then their refusals are counted by reason. */
  readonly messages?: boolean;
}

export interface DecisionParts {
  /** The registry that is counted into, or null where nobody reads one. */
  readonly metrics: Metrics | null;
  readonly tracer: Tracer | null;
  /** Epoch milliseconds. */
  readonly clock: Clock;
  /** Milliseconds of a clock that is never set, fractions allowed: stages take less than a millisecond. */
  readonly stopwatch: () => number;
  /** What a denial tells its caller. */
  readonly codeOf: (reason: Reason) => Code;
}

const AUTH_METHODS: readonly AuthMethod[] = ['api_key', 'jwt', 'mtls', 'none'];
const DEGRADATIONS: readonly Degradation[] = [
  'limits_local',
  'limits_open',
  'revocation_open',
  'keys_stale',
  'audit_direct',
];
const STAGES = ['boundary', 'authenticate', 'admit', 'record', 'total'] as const;
const UPSTREAM_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
const NONE = 'none';
const NOTHING = {};

/** What decisions are counted into. */
function countersOf({ actions, codes, messages = false }: DecisionLabels, metrics: Metrics) {
  const endpoint = [...new Set([...actions, NONE])];
  const code = [...codes, NONE];
  return {
    decisions: metrics.counter('tgefd_decisions_total', 'Decisions, one per audit record.', {
      endpoint,
      outcome: ['allowed', 'denied', 'would_deny'],
      code,
      auth_method: AUTH_METHODS,
      degraded: [...DEGRADATIONS, NONE],
    }),
    differences: metrics.counter(
      'tgefd_shadow_differences_total',
      'Decisions that the shadow table decides otherwise.',
      { endpoint, outcome: ['allowed', 'denied'], code },
    ),
    durations: metrics.histogram(
      'tgefd_decision_duration_seconds',
      'Time of each stage of a decision, and of the whole.',
      { stage: STAGES },
      STAGE_BUCKETS_SECONDS,
    ),
    upstream: metrics.histogram(
      'tgefd_upstream_duration_seconds',
      "Time until the upstream's answer began.",
      NOTHING,
      UPSTREAM_BUCKETS_SECONDS,
    ),
    countMessage: messages ? countMessageRefusals(metrics) : null,
  };
}

type Counters = ReturnType<typeof countersOf>;

/**
 * Makes the observer of each decision. It counts the decision as its record tells it: a decision whose record could not be
 * kept is counted as the `audit_unavailable` that the caller gets. It takes the time of the stages, and hands kept traces
 * to the tracer once the request is answered. No label and no attribute is an identity, a path or a value that a caller
 * chose.
 */
export function createDecisionWatch(labels: DecisionLabels, parts: DecisionParts): () => DecisionObserver {
  const { metrics, tracer } = parts;
  const counters = metrics === null ? null : countersOf(labels, metrics);
  if (tracer) metrics?.counterOf('tgefd_trace_spans_lost_total', 'Spans that no collector took.', () => tracer.lost());
  return () => observe(counters, parts);
}

/** Observes one decision from now on. */
function observe(counters: Counters | null, { tracer, clock, stopwatch, codeOf }: DecisionParts): DecisionObserver {
  const startMs = stopwatch();
  const epochMs = tracer === null ? 0 : clock();
  const stages: TracedStage[] = [];
  let lastMs = startMs;
  let auditFailed = false;

  const spanOf = (fromMs: number, toMs: number) => ({
    startMs: epochMs + fromMs - startMs,
    endMs: epochMs + toMs - startMs,
  });
  const mark = (stage: Stage): void => {
    const nowMs = stopwatch();
    counters?.durations.observe({ stage }, (nowMs - lastMs) / 1000);
    if (tracer) stages.push({ name: stage, kind: 'internal', ...spanOf(lastMs, nowMs) });
    lastMs = nowMs;
  };
  const count = (decision: Decision): void => {
    counters?.durations.observe({ stage: 'total' }, (stopwatch() - startMs) / 1000);
    if (counters) countDecision(counters, decision, auditFailed, codeOf);
  };

  return {
    mark,
    decided(decision, recorded) {
      if (recorded === null) return count(decision);
      void recorded.then((kept) => {
        auditFailed = kept === 'unavailable';
        mark('record');
        count(decision);
      });
    },
    answered(decision, status, upstreamMs, context: RequestContext) {
      if (upstreamMs !== null) counters?.upstream.observe(NOTHING, upstreamMs / 1000);
      if (tracer === null) return;
      const endMs = stopwatch();
      if (upstreamMs !== null) {
        stages.push({ name: 'upstream', kind: 'client', ...spanOf(endMs - upstreamMs, endMs) });
      }
      const { traceparent, parentSpanId } = decision.boundary;
      const traced = tracedDecision(decision, status, auditFailed, codeOf);
      tracer.export({ traceparent, parentSpanId, ...spanOf(startMs, endMs), stages, decision: traced }, context);
    },
  };
}

function countDecision(
  { decisions, differences, countMessage }: Counters,
  decision: Decision,
  auditFailed: boolean,
  codeOf: DecisionParts['codeOf'],
): void {
  const denial = decision.denial ?? decision.wouldDeny;
  if (denial !== null) countMessage?.(denial);
  const endpoint = decision.endpoint?.action ?? NONE;
  if (decision.shadow !== null) {
    const { denial: other } = decision.shadow;
    differences.add({ endpoint, outcome: other ? 'denied' : 'allowed', code: other ? codeOf(other) : NONE });
  }
  decisions.add({
    endpoint,
    outcome: auditFailed || decision.denial ? 'denied' : denial ? 'would_deny' : 'allowed',
    code: auditFailed ? 'audit_unavailable' : denial ? codeOf(denial) : NONE,
    auth_method: decision.authMethod,
    // No order of several would be obvious, so the first one stands for all.
    degraded: decision.degraded[0] ?? NONE,
  });
}

function tracedDecision(
  decision: Decision,
  status: number,
  auditFailed: boolean,
  codeOf: DecisionParts['codeOf'],
): TracedDecision {
  const { denial, boundary } = decision;
  return {
    decisionId: decision.id,
    requestId: boundary.requestId,
    door: decision.door,
    method: decision.method,
    pattern: decision.pattern,
    action: decision.endpoint?.action ?? null,
    authMethod: decision.authMethod,
    outcome: denial || auditFailed ? 'denied' : 'allowed',
    code: auditFailed ? 'audit_unavailable' : denial && codeOf(denial),
    status,
  };
}
