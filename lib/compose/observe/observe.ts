import type { ObservedAdmission } from '../../admit/admission.ts';
import type { Source } from '../../audit/outbox.ts';
import type { Recorder } from '../../audit/recorder.ts';
import type { KeySetState } from '../../authenticate/jwks/key-sets.ts';
import type { Config } from '../../config/load.ts';
import type { Decision } from '../../decision/outcome.ts';
import type { Clock, DecisionObserver, Fetch, Log } from '../../decision/ports.ts';
import { createDecisionWatch } from '../../observe/decisions.ts';
import { EXPOSITION_CONTENT_TYPE, type Metrics } from '../../observe/metrics.ts';
import { createTracer, type SpanTally } from '../../observe/traces.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { redisOutages } from '../../redis/failure.ts';
import { codeOf, codes } from '../../respond/denial.ts';

/** Who looks on at decisions, or null where neither metrics nor traces are on: then no time is taken at all. */
export function composeObservation(
  { settings, documents }: Config,
  parts: {
    readonly metrics: Metrics;
    readonly spans: SpanTally;
    readonly fetch: Fetch;
    readonly clock: Clock;
    readonly log: Log;
  },
): (() => DecisionObserver) | null {
  if (!settings.metricsEnabled && !settings.otelEnabled) return null;
  const tracer = settings.otelEnabled
    ? createTracer(
        {
          endpoint: settings.otelEndpoint.href,
          headers: documents.exporterHeaders,
          serviceName: settings.otelServiceName,
          timeoutMs: settings.otelTimeoutSeconds * 1000,
        },
        { fetch: parts.fetch, log: parts.log },
        parts.spans,
      )
    : null;
  return createDecisionWatch(
    {
      actions: documents.endpoints.map(({ action }) => action),
      codes,
      messages: documents.endpoints.some(({ mcp }) => mcp !== undefined),
    },
    {
      metrics: settings.metricsEnabled ? parts.metrics : null,
      tracer,
      clock: parts.clock,
      stopwatch: () => performance.now(),
      codeOf,
    },
  );
}

export interface WatchedParts {
  /** How the key set of each issuer fares. */
  readonly keySets: () => readonly KeySetState[];
  readonly admission: Pick<ObservedAdmission, 'snapshotState'>;
  readonly recorder: Pick<Recorder, 'counts'>;
  readonly outbox: Pick<Source, 'backlog' | 'now'> | null;
  readonly breakerOpen: (() => boolean) | null;
  readonly takeRedisFailures: RedisConnection['takeFailures'] | null;
}

/**
 * Registers what the parts tell of themselves, and gives the metrics page: each reading asks the outbox for its backlog
 * once, and leaves depth and lag out where it does not answer.
 */
export function watchParts(metrics: Metrics, parts: WatchedParts): () => Promise<string> {
  const { keySets, admission, recorder, outbox, breakerOpen, takeRedisFailures } = parts;
  let backlog: Awaited<ReturnType<Source['backlog']>> | null = null;
  let nowMs = 0;
  if (keySets().length > 0) {
    metrics.gauge('tgefd_key_set_age_seconds', 'Age of the oldest key set since its last good fetch.', () => {
      const ages = keySets().flatMap(({ ageSeconds }) => (ageSeconds === null ? [] : [ageSeconds]));
      return ages.length === 0 ? null : Math.max(...ages);
    });
    metrics.gauge(
      'tgefd_issuers_without_keys',
      'Issuers whose tokens cannot be verified now.',
      () => keySets().filter(({ keys }) => keys === 0).length,
    );
  }
  if (breakerOpen) {
    metrics.gauge('tgefd_redis_breaker_open', '1 while the circuit breaker of Redis is open.', () =>
      breakerOpen() ? 1 : 0,
    );
  }
  const redisFailures =
    takeRedisFailures &&
    metrics.counter('tgefd_redis_failures_total', 'Requests of decisions to Redis that failed, by cause.', {
      why: redisOutages,
    });
  metrics.gauge('tgefd_revocation_snapshot_age_seconds', 'Age of the snapshot of the revocations.', () => {
    const { ageMs } = admission.snapshotState();
    return ageMs === null ? null : ageMs / 1000;
  });
  if (outbox) {
    metrics.gauge('tgefd_outbox_depth', 'Audit records not yet archived.', () => backlog?.entries ?? null);
    metrics.gauge('tgefd_archive_lag_seconds', 'Age of the oldest audit record that is not archived yet.', () => {
      if (backlog === null) return null;
      return backlog.oldestMs === null ? 0 : Math.max(0, nowMs - backlog.oldestMs) / 1000;
    });
  }
  metrics.counterOf('tgefd_audit_lost_total', 'Audit records that reached no store.', () => recorder.counts().lost);
  metrics.counterOf(
    'tgefd_audit_spilled_total',
    'Audit records that went to object storage because the outbox failed.',
    () => recorder.counts().spilled,
  );
  return async () => {
    for (const [why, count] of takeRedisFailures?.() ?? []) redisFailures?.add({ why }, count);
    backlog = (await outbox?.backlog().catch(() => null)) ?? null;
    if (outbox !== null && backlog?.oldestMs != null) nowMs = await outbox.now().catch(() => nowMs);
    return metrics.render();
  };
}

/** The metrics page as an answer to a decided request. */
export function metricsAnswer(page: string, { boundary }: Pick<Decision, 'boundary'>): Response {
  return new Response(page, {
    headers: {
      'content-type': EXPOSITION_CONTENT_TYPE,
      'cache-control': 'no-store',
      'x-request-id': boundary.requestId,
    },
  });
}
