import { type AdmissionSettings, createAdmission, type ObservedAdmission } from '../../admit/admission.ts';
import { type BudgetDesk, createBudgetDesk } from '../../admit/budget-desk.ts';
import { createMemoryProofs } from '../../admit/memory-proofs.ts';
import { createMemoryStore } from '../../admit/memory-store.ts';
import { createRedisStore } from '../../admit/redis-store.ts';
import type { ArchiveLock, Outbox, Source, Tail } from '../../audit/outbox.ts';
import { createMemoryOutbox } from '../../audit/outbox-memory.ts';
import type { Pseudonyms } from '../../audit/pseudonym.ts';
import { redisOutbox } from '../../audit/redis-outbox-parts.ts';
import type { Config } from '../../config/load.ts';
import type { Secret } from '../../config/variable.ts';
import type { Clock, Fetch } from '../../decision/ports.ts';
import type { CredentialUsed } from '../../decision/principal.ts';
import { createMemoryBudgets } from '../../limit/memory.ts';
import type { ReportFailures } from '../../limit/shared-failures.ts';
import { createRedisConnection } from '../../redis/connection.ts';
import { createFailureCounter } from '../../redis/failure-counter.ts';
import { ADMIT } from '../../redis/scripts.ts';
import { createWarmUp, type WarmUp } from '../../redis/warm-up.ts';
import { createMemoryRevocations } from '../../revoke/memory.ts';
import { createRedisRevocations } from '../../revoke/redis.ts';
import type { RevocationPseudonyms, Revocations } from '../../revoke/revocation.ts';
import type { Runtime } from '../runtime.ts';
import { composeRedisClient } from './redis.ts';

const maximumMemoryBuckets = 32_768;
/** Some 15 MiB when all are in use. */
const maximumMemoryProofs = 100_000;

/** What of the shared store may change while it goes on. */
interface Live {
  redisToken: Secret<string> | null;
  used: CredentialUsed;
  named: RevocationPseudonyms;
  addressName(address: string): string | Promise<string>;
}

/** Limits, revocation and the audit outbox, with what the next composition takes over. */
export interface StoreParts {
  readonly admission: ObservedAdmission;
  readonly revocations: Revocations;
  readonly outbox: (Outbox & Source & ArchiveLock & Tail) | null;
  readonly breakerOpen: (() => boolean) | null;
  /** Adds to the failed authentications that all isolates count; null where each counts for itself. */
  readonly reportFailures: ReportFailures | null;
  /** Budgets for an operator; null where there is no shared store. */
  readonly desk: BudgetDesk | null;
  /** Connections and scripts ahead of the first decision; null where there is nothing to warm. */
  readonly warmUp: WarmUp | null;
  readonly live: Live | null;
  /** Takes over what was there before, once this composition is the one that serves. */
  adopt(): void;
}

function createMemory(clock: Clock, maximumEntries: number) {
  const revocations = createMemoryRevocations(clock);
  const store = createMemoryStore(
    createMemoryBudgets({ maximumBuckets: maximumMemoryBuckets }, clock),
    revocations,
    createMemoryProofs({ maximumProofs: maximumMemoryProofs }, clock),
  );
  return { revocations, store, outbox: createMemoryOutbox({ maximumEntries }, clock) };
}

/**
 * What is shared between isolates, in Redis, or in this process where there is none. What was there `before` goes on with
 * other secrets, leases and the snapshot of revocations included. Under a new pseudonym key every caller has another name,
 * and so other budgets: leases still out are lost to theirs until they run out, which never lets one be overshot.
 */
export function composeStore(
  config: Config,
  runtime: Runtime,
  parts: { readonly pseudonyms: Pseudonyms; readonly egress: Fetch; readonly used: CredentialUsed },
  before: StoreParts | null,
): StoreParts {
  const { settings } = config;
  const { clock, log, random } = runtime;
  const { pseudonyms, egress, used } = parts;
  const { auditPseudonymKey: pseudonymKey, redisUrl, redisToken } = settings;
  const adopt = () => {
    if (before?.live) Object.assign(before.live, { redisToken, used, named, addressName });
  };
  const named: RevocationPseudonyms = (kind, value) => {
    const pseudonym = pseudonyms.of(kind === 'jti' ? 'token_id' : 'identity', value);
    if (pseudonymKey?.previous) return pseudonyms.all(kind === 'jti' ? 'token_id' : 'identity', value);
    return pseudonym instanceof Promise ? pseudonym.then((name) => [name]) : [pseudonym];
  };
  const addressName = (address: string) => pseudonyms.of('address', address);
  if (before) return { ...before, adopt };

  const admissionSettings: AdmissionSettings = {
    mode: redisUrl ? settings.rateLimitMode : 'exact',
    emergency: settings,
    revocationOnError: settings.revocationOnError,
    revocationMaximumDelayMs: settings.revocationMaximumDelaySeconds * 1000,
    timeoutMs: settings.redisTimeoutMs,
  };

  const live: Live = { redisToken, used, named, addressName };
  const client = runtime.trial
    ? null
    : composeRedisClient(settings, runtime, {
        egress,
        secret: () => live.redisToken,
        used: (kind, slot) => live.used(kind, slot),
      });
  if (client === null) {
    const memory = createMemory(clock, settings.auditStreamMaximum);
    return {
      // Revocations of this process are kept under raw ids, and so asked for by them.
      admission: createAdmission(admissionSettings, { store: memory.store, pseudonyms: (_, value) => [value], clock }),
      revocations: memory.revocations,
      outbox: settings.auditBucket ? memory.outbox : null,
      breakerOpen: null,
      reportFailures: null,
      desk: null,
      warmUp: null,
      live: null,
      adopt,
    };
  }
  const { redisTimeoutMs: timeoutMs, redisCluster: cluster } = settings;
  const connection = createRedisConnection(
    { timeoutMs, cluster },
    { client, clock: runtime.stopwatch ?? clock, random, log },
  );
  const store = createRedisStore(connection);
  const counter = createFailureCounter(settings.authFailureLimitPerMinute, connection);
  const namedNow: RevocationPseudonyms = (kind, value) => live.named(kind, value);
  return {
    admission: createAdmission(admissionSettings, { store, pseudonyms: namedNow, clock }),
    revocations: createRedisRevocations(connection, namedNow),
    outbox: redisOutbox(settings, client, runtime.sharePromises),
    breakerOpen: connection.isOpen,
    reportFailures: async (address, failures) => counter.add(await live.addressName(address), failures),
    desk: createBudgetDesk(connection),
    warmUp: runtime.sharePromises ? createWarmUp(client, [ADMIT]) : null,
    live,
    adopt,
  };
}
