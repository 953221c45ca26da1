import type { KeySetState } from '../../authenticate/jwks/key-sets.ts';
import { BUILD } from '../../config/build.ts';
import { policyHash } from '../../config/policy/policy-hash.ts';
import { overdueSecrets } from '../../config/rotation.ts';
import type { Desk } from '../desk.ts';
import { isConsole } from '../records/summary.ts';
import type { WindowState } from '../records/window.ts';

/** How the key set of one issuer fares. */
export interface IssuerHealth extends KeySetState {
  readonly issuer: string;
  /** Seconds until the set is fetched again with the next request; null: it is not fetched. */
  readonly nextFetchSeconds: number | null;
}

/** Instances that decide by one build and one set of rules. */
export interface Version {
  readonly build: string;
  readonly policy: string;
  decisions: number;
  lastMs: number;
  readonly isOurs: boolean;
}

export interface HealthFacts {
  readonly issuers: readonly IssuerHealth[];
  /** `none`: there is no shared store. */
  readonly store: 'answers' | 'given_up' | 'silent' | 'none';
  readonly waiting: { readonly entries: number; readonly lagSeconds: number } | null;
  readonly hasOutbox: boolean;
  readonly archives: boolean;
  readonly records: {
    readonly stored: number;
    readonly spilled: number;
    readonly lost: number;
    readonly refused: number;
  };
  readonly overdueSecrets: number;
  readonly egressRefused: number;
  readonly shadow: string | null;
  readonly versions: readonly Version[];
  readonly build: string;
  readonly policy: string;
}

/** Asks every part how it fares; a part that does not answer is told as such. Never rejects. */
export async function healthOf({ composed, records }: Desk, nowMs: number): Promise<HealthFacts> {
  const { config, outbox, carried } = composed;
  const { settings } = config;
  const backlog = (await outbox?.backlog().catch(() => null)) ?? null;
  const window = records && (await records.refresh());
  const policy = await policyHash(config);
  const isGivenUp = carried.store.breakerOpen?.() ?? false;
  return {
    issuers: issuersOf(composed),
    store: !settings.redisUrl ? 'none' : isGivenUp ? 'given_up' : backlog === null ? 'silent' : 'answers',
    waiting: backlog && {
      entries: backlog.entries,
      lagSeconds: backlog.oldestMs === null ? 0 : Math.max(0, nowMs - backlog.oldestMs) / 1000,
    },
    hasOutbox: outbox !== null,
    archives: settings.auditBucket !== null,
    records: { ...carried.records },
    overdueSecrets: overdueSecrets(config, nowMs),
    egressRefused: carried.egressWatch.count(),
    shadow: composed.notice(),
    versions: window === null ? [] : versionsIn(window, BUILD, policy),
    build: BUILD,
    policy,
  };
}

function issuersOf({ config, carried }: Desk['composed']): readonly IssuerHealth[] {
  return carried.keySets.flatMap((keySet, place): IssuerHealth[] => {
    const issuer = config.issuers[place];
    if (keySet === null || issuer === undefined) return [];
    const state = keySet.state();
    const isFetched = issuer.keys.from !== 'inline' && issuer.keys.from !== 'secret';
    const refreshSeconds = config.settings.jwksTtlSeconds * 0.9;
    return [
      {
        ...state,
        issuer: issuer.spellings[0] ?? 'the configured keys',
        nextFetchSeconds:
          isFetched && state.ageSeconds !== null ? Math.max(0, refreshSeconds - state.ageSeconds) : null,
      },
    ];
  });
}

function versionsIn({ records }: WindowState, ourBuild: string, ourPolicy: string): readonly Version[] {
  const found = new Map<string, Version>();
  for (const record of records) {
    if (isConsole(record)) continue;
    const { build = '', policy } = record;
    const key = `${build} ${policy ?? ''}`;
    const isOurs = build === ourBuild && policy === ourPolicy;
    const version = found.get(key) ?? { build, policy: policy ?? '', decisions: 0, lastMs: 0, isOurs };
    found.set(key, version);
    version.decisions++;
    version.lastMs = Math.max(version.lastMs, Date.parse(record.ts));
  }
  return [...found.values()].sort((a, b) => b.decisions - a.decisions);
}
