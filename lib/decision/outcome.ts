/** What is decided: budgets, admission, and the decision with everything its record and answer need. Types only. */

import type { AuthMethod, Principal, ProofUse, RevocationHandles } from './principal.ts';
import type { Degradation, Reason, RevocationKind } from './reason.ts';
import type { Boundary, ChallengeSettings, Endpoint, RequestSource } from './request.ts';

/**
 * One quota of one principal: a token bucket of `burst` tokens that refills at `perMinute`; with a `period`, `burst` requests
 * in each calendar day or month (UTC), and `perMinute` is 0.
 */
export interface Budget {
  /** `general`, `heavy`, `general-day` and so on: what the RateLimit fields and the record call it. */
  readonly name: string;
  readonly perMinute: number;
  readonly burst: number;
  readonly period?: 'day' | 'month';
  /** What decides while the shared store does not answer. */
  readonly onError: 'local' | 'closed' | 'open';
}

/** A budget after a decision. */
export interface BudgetState {
  readonly name: string;
  /** Requests that the policy allows in `windowSeconds`. */
  readonly quota: number;
  readonly windowSeconds: number;
  /** Whole tokens left. */
  readonly remaining: number;
  /** Whole seconds until it is full again, or, when exhausted, until one more request passes; at least 1. With a period:
   * until that ends. */
  readonly resetSeconds: number;
}

export interface AdmissionQuestion {
  /** Whose budgets: a pseudonym, never a raw identity; null when no budget applies. */
  readonly partition: string | null;
  /** Budgets to spend one token from: all of them, or none. Empty when no budget applies. */
  readonly budgets: readonly Budget[];
  /** What to look up among the revocations; null when the caller presented no credential. */
  readonly revocation: RevocationHandles | null;
  /** A proof that counts once; left out where the caller presented none. `by`: the decision that uses it. */
  readonly proof?: (ProofUse & { readonly by: string }) | undefined;
}

export type AdmissionAnswer =
  | {
      readonly outcome: 'admitted';
      readonly budgets: readonly BudgetState[];
      readonly degraded: readonly Degradation[];
    }
  | { readonly outcome: 'revoked'; readonly by: RevocationKind }
  /** The proof was used before. Nothing was spent. */
  | { readonly outcome: 'replayed' }
  | {
      readonly outcome: 'exhausted';
      /** The budget that refused. */
      readonly budget: string;
      readonly budgets: readonly BudgetState[];
      readonly retryAfterSeconds: number;
      readonly degraded: readonly Degradation[];
    }
  | { readonly outcome: 'unavailable'; readonly what: 'revocation' | 'limits'; readonly retryAfterSeconds: number };

/** What was decided, and everything the record, the answer and the upstream need to know of it. */
export interface Decision {
  readonly id: string;
  /** When the decision began, epoch milliseconds. */
  readonly atMs: number;
  readonly latencyMs: number;
  readonly door: RequestSource;
  readonly method: string;
  /** The canonical path that was matched and is forwarded, or null where the path was refused. */
  readonly path: string | null;
  /** Query including `?`, or an empty string. Goes upstream, never into a record. */
  readonly query: string;
  readonly endpoint: Endpoint | null;
  /** Pattern of the row that matched the path, also where the method did not match. */
  readonly pattern: string | null;
  readonly boundary: Boundary;
  readonly authMethod: AuthMethod;
  /** What a challenge may say on this way in; left out where there is nothing beyond the usual. */
  readonly challenge?: ChallengeSettings | null;
  /** The caller sent its token with the scheme `DPoP`. */
  readonly byProof?: boolean;
  readonly principal: Principal | null;
  readonly denial: Reason | null;
  /** The denial that a request was spared while denials are only recorded (`TGEFD_SHADOW_UNTIL`). */
  readonly wouldDeny: Reason | null;
  /** What a second endpoint table would have decided, where that is something else; `denial` null: it would allow. */
  readonly shadow: { readonly denial: Reason | null } | null;
  readonly budgets: readonly BudgetState[];
  readonly degraded: readonly Degradation[];
}

/** The steps of a decision whose time is taken. */
export type Stage = 'boundary' | 'authenticate' | 'admit' | 'record';
