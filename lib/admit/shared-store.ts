/** The port of the one trip: what a store that all isolates share is asked for one decision, and what it finds. */

import type { AdmissionQuestion } from '../decision/outcome.ts';
import type { RevocationKind } from '../decision/reason.ts';
import type { Demand, Settlement } from '../limit/budgets.ts';
import type { RevocationChanges } from '../revoke/changes.ts';
import type { RevocationField } from '../revoke/revocation.ts';

export interface Inquiry {
  /** Whose budgets, a pseudonym; null exactly when there are no demands. */
  readonly partition: string | null;
  readonly demands: readonly Demand[];
  /** Entries that could revoke the credential. */
  readonly fields: readonly RevocationField[];
  readonly issuedAtSeconds: number | null;
  /** Version of the revocations that the asker has, to be told of what changed since; null: does not want to know. */
  readonly knownVersion: string | null;
  /** A proof that counts once. Asking again for the same decision is no second use. */
  readonly proof?: AdmissionQuestion['proof'];
}

export type AdmissionFinding =
  /** Nothing was spent. */
  | { readonly found: 'revoked'; readonly by: RevocationKind }
  /** The proof was used before; nothing was spent. */
  | { readonly found: 'replayed' }
  /** `changes` null: nothing changed since the known version. */
  | { readonly found: 'settled'; readonly settlement: Settlement; readonly changes: RevocationChanges | null }
  /** No answer in time; whether tokens were spent is unknown. */
  | { readonly found: 'nothing'; readonly retryAfterSeconds: number };

/** Never throws: an outage is a finding. */
export interface SharedStore {
  /** Whether nothing at all is revoked now, where the store knows without being asked. */
  nothingRevoked?(): boolean;
  ask(inquiry: Inquiry): AdmissionFinding | Promise<AdmissionFinding>;
}
