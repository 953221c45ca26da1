import type { Principal } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';

/** A condition that does not hold: the reason, and what an operator reads about it. */
export interface Unmet {
  readonly reason: Reason;
  /** The value found, for `explain` only: it never reaches a record or an answer. */
  readonly found: string | null;
  readonly wanted: string;
  /** The member of the row that decides. */
  readonly member: string;
}

/** Checks one condition of a row; null: it holds. `path` is the canonical path, or null where it is not known. */
export type RowCondition = (principal: Principal, path: string | null) => Unmet | null;
