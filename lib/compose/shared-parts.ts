import { createPseudonyms, type Pseudonyms } from '../audit/pseudonym.ts';
import type { RecorderTally } from '../audit/recorder.ts';
import type { Config } from '../config/load.ts';
import type { Fetch } from '../decision/ports.ts';
import type { CredentialUsed } from '../decision/principal.ts';
import { composeEgress, composeRedisEgress, createEgressWatch, type EgressWatch } from '../egress/watch.ts';
import { createCredentialCounter } from '../observe/credentials.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import type { SpanTally } from '../observe/traces.ts';
import { sharedDevelopmentKey } from './development-key.ts';
import { addProcessMetrics } from './observe/process-metrics.ts';
import type { Runtime } from './runtime.ts';

/** What the process counts, and the key it drew: both outlive a composition. */
export interface CarriedCounts {
  readonly egressWatch: EgressWatch;
  readonly records: RecorderTally;
  readonly spans: SpanTally;
  /** Random; stands in for a pseudonym key that is not configured. */
  readonly processKey: string;
}

/** What nearly every other part uses: ways out of the process, counters, and pseudonyms. */
export interface SharedParts extends CarriedCounts {
  readonly egress: Fetch;
  readonly redisEgress: Fetch;
  readonly metrics: Metrics;
  readonly used: CredentialUsed;
  readonly pseudonyms: Pseudonyms;
}

export function composeSharedParts(
  config: Config,
  runtime: Runtime,
  before: { readonly carried: CarriedCounts; readonly metrics: Metrics } | null,
): SharedParts {
  const { settings } = config;
  const { newId, log, fetch } = runtime;
  const watch = runtime.egressWatch ?? before?.carried.egressWatch ?? createEgressWatch(log);
  const metrics = before?.metrics.next() ?? createMetrics();
  addProcessMetrics(metrics, config, runtime, watch);
  const processKey = before?.carried.processKey ?? newId() + newId();
  return {
    egressWatch: watch,
    egress: composeEgress(settings, { fetch, watch }),
    redisEgress: composeRedisEgress(settings, { fetch, watch }),
    metrics,
    used: createCredentialCounter(metrics),
    records: before?.carried.records ?? { stored: 0, spilled: 0, lost: 0, refused: 0 },
    spans: before?.carried.spans ?? { lost: 0 },
    processKey,
    pseudonyms: createPseudonyms({
      key: settings.auditPseudonymKey?.current ?? sharedDevelopmentKey(settings) ?? processKey,
      previousKeys: settings.auditPseudonymKey?.previous ? [settings.auditPseudonymKey.previous] : [],
      hmac: runtime.cryptography?.hmac,
    }),
  };
}
