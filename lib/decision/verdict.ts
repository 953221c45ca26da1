import type { Decision } from './outcome.ts';
import type { Reason } from './reason.ts';
import type { Shadow } from './steps.ts';
import type { Walk } from './walk.ts';

export type Verdict = Pick<Decision, 'denial' | 'wouldDeny' | 'shadow'>;

export const UNSHADOWED = { wouldDeny: null, shadow: null } as const;

/** What becomes of a denial while a policy is tried. Nobody is let in who is not authenticated. */
export function inShadow(shadow: Shadow, walk: Walk, reason: Reason | null): Verdict {
  if (walk.principal === null) return { ...UNSHADOWED, denial: reason };
  const spared = reason !== null && shadow.spares(walk, reason);
  return {
    denial: spared ? null : reason,
    wouldDeny: spared ? reason : null,
    shadow: sameUnderAnyTable(walk, reason) ? null : shadow.compare(walk, walk.refusal),
  };
}

/** Revoked, replayed, or an outage of ours: no table decides about that. An exhausted budget is one that a table asks for. */
function sameUnderAnyTable({ refusal }: Walk, reason: Reason | null): boolean {
  return reason !== null && reason !== refusal && reason.reason !== 'budget_exhausted';
}

export function explainVerdict({ denial, wouldDeny }: Verdict): string {
  if (wouldDeny !== null) return `allowed for now, would be denied: ${wouldDeny.reason}`;
  return denial === null ? 'allowed' : `denied: ${denial.reason}`;
}
