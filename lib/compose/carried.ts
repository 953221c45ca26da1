import type { Config } from '../config/load.ts';
import type { Failures } from '../limit/failed-authentications.ts';
import type { UnderWay } from '../limit/under-way.ts';
import { composeFailures } from './admit/failures.ts';
import { composeStore, type StoreParts } from './admit/store.ts';
import { composeUnderWay } from './admit/under-way.ts';
import { composeKeySets, type IssuerKeySets } from './authenticate/issuers.ts';
import { composeEventKeySets, type EventKeySets } from './events/key-sets.ts';
import type { Runtime } from './runtime.ts';
import type { CarriedCounts, SharedParts } from './shared-parts.ts';

/** What the next composition of the same process takes over. */
export interface Carried extends CarriedCounts {
  readonly keySets: IssuerKeySets;
  readonly eventKeySets: EventKeySets;
  readonly failures: Failures;
  readonly underWay: UnderWay | null;
  readonly store: StoreParts;
}

/** Takes over what was there `before`, or makes it. */
export function composeCarried(config: Config, runtime: Runtime, shared: SharedParts, before: Carried | null): Carried {
  const { pseudonyms, used, processKey, egressWatch, records, spans } = shared;
  const keySets = before ? before.keySets : composeKeySets(config, runtime, shared.egress);
  const store = composeStore(config, runtime, { pseudonyms, egress: shared.redisEgress, used }, before?.store ?? null);
  return {
    processKey,
    keySets,
    eventKeySets: before ? before.eventKeySets : composeEventKeySets(config, runtime, shared.egress),
    failures: before?.failures ?? composeFailures(config.settings.authFailureLimitPerMinute, store.reportFailures),
    underWay: before ? before.underWay : composeUnderWay(config),
    store,
    egressWatch,
    records,
    spans,
  };
}
