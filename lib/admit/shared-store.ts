/** The port of the one trip: what a store that all isolates share is asked for one decision, and what it finds. */

import type { RevocationKind } from '../decision/vocabulary.ts';
import type { Demand, Settlement } from '../limit/budgets.ts';
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
}

/** Revocations that changed. */
export interface RevocationChanges {
  /** Version of the store, and the version up to which these changes go; when they differ, ask again for the rest. */
  readonly version: string;
  readonly upTo: string;
  /** Whether what the asker has is worthless: these changes begin from nothing. */
  readonly replace: boolean;
  readonly entries: readonly {
    readonly field: string;
    /** Null: no longer revoked. */
    readonly expiresAtSeconds: number | null;
    readonly beforeSeconds: number | null;
  }[];
}

export type Finding =
  /** Nothing was spent. */
  | { readonly found: 'revoked'; readonly by: RevocationKind }
  /** `changes` null: nothing changed since the known version. */
  | { readonly found: 'settled'; readonly settlement: Settlement; readonly changes: RevocationChanges | null }
  /** No answer in time; whether tokens were spent is unknown. */
  | { readonly found: 'nothing'; readonly retryAfterSeconds: number };

/** Never throws: an outage is a finding. */
export interface SharedStore {
  ask(inquiry: Inquiry): Finding | Promise<Finding>;
}

/** Version of a store that holds no revocations, and of an asker that knows none. */
export const NO_VERSION = '0';
