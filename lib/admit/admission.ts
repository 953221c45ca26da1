import type { AdmissionAnswer } from '../decision/outcome.ts';
import type { Admission, Clock } from '../decision/ports.ts';
import type { RevocationHandles } from '../decision/principal.ts';
import { createEmergencyLists, type EmergencySettings } from '../revoke/lists.ts';
import {
  fieldsOf,
  fieldsWithTokenAtIssuer,
  type RevocationField,
  type RevocationPseudonyms,
} from '../revoke/revocation.ts';
import { createExactAdmission } from './exact-admission.ts';
import { createLeasedAdmission } from './leased-admission.ts';
import type { SharedStore } from './shared-store.ts';

export interface AdmissionSettings {
  /** Ask the shared store for every decision, or decide from leases and a snapshot where these suffice. */
  readonly mode: 'exact' | 'leased';
  readonly emergency: EmergencySettings;
  /** What becomes of a credential while nobody can say whether it is revoked. */
  readonly revocationOnError: 'closed' | 'open';
  /** How long a revocation may take to hold in leased mode. */
  readonly revocationMaximumDelayMs: number;
  /** Whether events revoke tokens by their id at their issuer (`TGEFD_EVENT_ISSUERS`). */
  readonly tokensAtIssuer?: boolean;
  /** Deadline of one trip. */
  readonly timeoutMs: number;
}

export interface AdmissionParts {
  readonly store: SharedStore;
  readonly pseudonyms: RevocationPseudonyms;
  readonly clock: Clock;
  /** For durations and calendar periods: nobody sets it. Absent: the clock. */
  readonly steady?: Clock;
}

export interface ObservedAdmission extends Admission {
  /** Of the snapshot of the revocations, for gauges; zero and null in exact mode. */
  snapshotState(): { readonly entries: number; readonly ageMs: number | null };
}

/** Buckets and leases of one isolate at most: some 10 MiB when every one is in use. */
const MAXIMUM_PARTITIONS = 32_768;
/** Revocations in the snapshot of one isolate at most, some 5 MiB; with more, leased mode asks for every credential. */
const MAXIMUM_SNAPSHOT_ENTRIES = 32_768;

/**
 * Step 5 of a decision: is the credential revoked, was its proof used before, has every budget a token? The emergency lists first, which need no
 * store; then at most one trip to the shared store. A revoked credential spends nothing, and a request that one budget
 * refuses spends from none. Answers without a promise when nothing had to be asked. Never throws for an outage: what then
 * decides is told in `degraded`, or the answer is `unavailable`. Does not check what kind of caller may have which budget.
 */
export function createAdmission(settings: AdmissionSettings, parts: AdmissionParts): ObservedAdmission {
  const { store, pseudonyms, clock, steady = clock } = parts;
  const revokedAtDeployment = createEmergencyLists(settings.emergency);
  const fallback = { revocationOnError: settings.revocationOnError, maximumBuckets: MAXIMUM_PARTITIONS };
  const leased =
    settings.mode === 'leased'
      ? createLeasedAdmission(
          {
            ...fallback,
            timeoutMs: settings.timeoutMs,
            maximumPartitions: MAXIMUM_PARTITIONS,
            maximumDelayMs: settings.revocationMaximumDelayMs,
            maximumEntries: MAXIMUM_SNAPSHOT_ENTRIES,
          },
          store,
          { clock, steady },
        )
      : null;
  const admit = leased?.admit ?? createExactAdmission(fallback, store, steady);
  // By the object itself: whoever asks about one credential again and again hands in the same handles.
  const named = new WeakMap<RevocationHandles, readonly RevocationField[]>();
  const fieldsFor = settings.tokensAtIssuer === true ? fieldsWithTokenAtIssuer : fieldsOf;

  const { revokedTokenIds, revokedKeyIds, revokedSubjects } = settings.emergency;
  const alwaysLooks =
    leased !== null || [revokedTokenIds, revokedKeyIds, revokedSubjects].some(({ length }) => length > 0);

  return {
    looksForRevocation: () => alwaysLooks || store.nothingRevoked?.() !== true,
    admit({ partition, budgets, revocation, proof }, context) {
      if (revocation === null) {
        if (budgets.length === 0 && proof === undefined) return NOTHING_ASKED;
        return admit({ partition, budgets, fields: [], issuedAtSeconds: null, proof }, context);
      }
      const by = revokedAtDeployment(revocation);
      if (by !== null) return { outcome: 'revoked', by };
      const { issuedAtSeconds } = revocation;
      const ask = (fields: readonly RevocationField[]) => {
        named.set(revocation, fields);
        return admit({ partition, budgets, fields, issuedAtSeconds, proof }, context);
      };
      const fields = named.get(revocation) ?? fieldsFor(revocation, pseudonyms);
      return fields instanceof Promise ? fields.then(ask) : ask(fields);
    },
    snapshotState: () => leased?.snapshot.state(steady()) ?? { entries: 0, ageMs: null },
  };
}

const NOTHING_ASKED: AdmissionAnswer = { outcome: 'admitted', budgets: [], degraded: [] };
