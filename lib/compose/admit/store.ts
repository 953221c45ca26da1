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
import type { Settings } from '../../config/variables.ts';
import type { Fetch } from '../../decision/ports.ts';
import type { CredentialUsed } from '../../decision/principal.ts';
import { createMemoryBudgets } from '../../limit/memory.ts';
import type { ReportFailures } from '../../limit/shared-failures.ts';
import { countingCommands, type RedisClient } from '../../redis/client.ts';
import { createRedisConnection, type RedisConnection } from '../../redis/connection.ts';
import { createFailureCounter } from '../../redis/failure-counter.ts';
import { ADMIT } from '../../redis/scripts.ts';
import { createWarmUp, type WarmUp } from '../../redis/warm-up.ts';
import { createMemoryRevocations, type MemoryRevocations } from '../../revoke/memory.ts';
import { createRedisRevocations } from '../../revoke/redis.ts';
import type { RevocationPseudonyms, Revocations } from '../../revoke/revocation.ts';
import type { Runtime } from '../runtime.ts';
import { steadyClock } from '../steady-clock.ts';
import { composeRedisClient } from './redis.ts';

const maximumMemoryBuckets = 32_768;
/** Some 15 MiB when all are in use. */
const maximumMemoryProofs = 100_000;

/** What changes when only secrets changed; everything else of the shared store stays. */
interface Live {
  redisToken: Secret<string> | null;
  used: CredentialUsed;
  named: RevocationPseudonyms;
  addressName(address: string): string | Promise<string>;
}

/** What security events are written with; the room that does it is loaded by whoever receives any. */
export type EventPlace =
  | { readonly memory: MemoryRevocations }
  | { readonly connection: RedisConnection; readonly pseudonyms: RevocationPseudonyms };

/** Limits, revocation and the audit outbox, with what the next composition takes over. */
export interface StoreParts {
  readonly admission: ObservedAdmission;
  readonly revocations: Revocations;
  /** Where security events become revocations. */
  readonly eventPlace: EventPlace;
  readonly outbox: (Outbox & Source & ArchiveLock & Tail) | null;
  readonly breakerOpen: (() => boolean) | null;
  readonly takeRedisFailures: RedisConnection['takeFailures'] | null;
  /** Adds to the failed authentications that all isolates count; null where each counts for itself. */
  readonly reportFailures: ReportFailures | null;
  /** Budgets for an operator; null where there is no shared store. */
  readonly desk: BudgetDesk | null;
  /** Connections and scripts ahead of the first decision; null where there is nothing to warm. */
  readonly warmUp: WarmUp | null;
  readonly live: Live | null;
  /** Ends the connections to the shared store, where a process does not end with its work. */
  close(): void;
  /** Takes over what was there before, once this composition is the one that serves. */
  adopt(): void;
}

interface Parts {
  readonly pseudonyms: Pseudonyms;
  readonly egress: Fetch;
  readonly used: CredentialUsed;
}

/**
 * What is shared between isolates, in Redis, or in this process where there is none. When only secrets changed, what was
 * there `before` is kept, with its leases and its snapshot of revocations. Under a new pseudonym key every caller has
 * another name, and so other budgets. Leases that are still out are lost until they end; no budget is ever overshot.
 */
export function composeStore(config: Config, runtime: Runtime, parts: Parts, before: StoreParts | null): StoreParts {
  const { redisToken } = config.settings;
  const { pseudonyms, used } = parts;
  const live: Live = {
    redisToken,
    used,
    named: revocationNames(config.settings, pseudonyms),
    addressName: (address) => pseudonyms.of('address', address),
  };
  const adopt = () => {
    if (before?.live) Object.assign(before.live, live);
  };
  if (before) return { ...before, adopt };
  const client = runtime.trial
    ? null
    : composeRedisClient(config.settings, runtime, {
        egress: parts.egress,
        secret: () => live.redisToken,
        used: (kind, slot) => live.used(kind, slot),
      });
  return client === null
    ? { ...inMemory(config, runtime), adopt }
    : { ...inRedis(config, runtime, client, live), live, adopt };
}

/** The pseudonyms under which an identity or a token id may stand in the list of revocations. */
function revocationNames({ auditPseudonymKey }: Settings, pseudonyms: Pseudonyms): RevocationPseudonyms {
  return (kind, value) => {
    const namedAs = kind === 'jti' ? 'token_id' : 'identity';
    if (auditPseudonymKey?.previous) return pseudonyms.all(namedAs, value);
    const pseudonym = pseudonyms.of(namedAs, value);
    return pseudonym instanceof Promise ? pseudonym.then((name) => [name]) : [pseudonym];
  };
}

function admissionSettings({ settings, eventIssuers }: Config): AdmissionSettings {
  return {
    mode: settings.redisUrl ? settings.rateLimitMode : 'exact',
    emergency: settings,
    revocationOnError: settings.revocationOnError,
    revocationMaximumDelayMs: settings.revocationMaximumDelaySeconds * 1000,
    tokensAtIssuer: eventIssuers.length > 0,
    timeoutMs: settings.redisTimeoutMs,
  };
}

function inMemory(config: Config, runtime: Runtime): Omit<StoreParts, 'adopt'> {
  const { clock } = runtime;
  const steady = steadyClock(runtime);
  const { auditBucket, auditStreamMaximum: maximumEntries } = config.settings;
  const revocations = createMemoryRevocations(clock);
  const store = createMemoryStore(
    createMemoryBudgets({ maximumBuckets: maximumMemoryBuckets }, steady),
    revocations,
    createMemoryProofs({ maximumProofs: maximumMemoryProofs }, steady),
  );
  return {
    // Revocations of this process are kept under raw ids, and so looked up by them.
    admission: createAdmission(admissionSettings(config), { store, pseudonyms: (_, value) => [value], clock, steady }),
    revocations,
    eventPlace: { memory: revocations },
    outbox: auditBucket ? createMemoryOutbox({ maximumEntries }, steady) : null,
    breakerOpen: null,
    takeRedisFailures: null,
    reportFailures: null,
    desk: null,
    warmUp: null,
    live: null,
    close: () => undefined,
  };
}

function inRedis(
  config: Config,
  runtime: Runtime,
  client: RedisClient,
  live: Live,
): Omit<StoreParts, 'adopt' | 'live'> {
  const { settings } = config;
  const { clock, log, random } = runtime;
  const connection = createRedisConnection(
    { timeoutMs: settings.redisTimeoutMs, cluster: settings.redisCluster },
    { client, clock: runtime.stopwatch ?? clock, random, log },
  );
  const counter = createFailureCounter(settings.authFailureLimitPerMinute, { connection, clock });
  const pseudonyms: RevocationPseudonyms = (kind, value) => live.named(kind, value);
  return {
    admission: createAdmission(admissionSettings(config), {
      store: createRedisStore(connection),
      pseudonyms,
      clock,
      steady: steadyClock(runtime),
    }),
    revocations: createRedisRevocations(connection, pseudonyms),
    eventPlace: { connection, pseudonyms },
    outbox: redisOutbox(
      settings,
      countingCommands(client, connection.countFailure),
      runtime.sharePromises ? runtime.newId() : null,
    ),
    breakerOpen: connection.isOpen,
    takeRedisFailures: connection.takeFailures,
    reportFailures: async (address, failures) => counter.add(await live.addressName(address), failures),
    desk: createBudgetDesk(connection),
    warmUp: runtime.sharePromises ? createWarmUp(client, [ADMIT]) : null,
    close: () => client.close?.(),
  };
}
