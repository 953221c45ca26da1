import type { AdmissionAnswer } from './outcome.ts';
import type { Principal, RevocationHandles } from './principal.ts';
import type { Reason } from './reason.ts';
import type { Boundary } from './request.ts';
import { after, type Eventually, type Step, type Steps } from './steps.ts';
import { revocable } from './walk.ts';

/** 5. May they now? One question: is the credential revoked, was its proof used before, has every budget a token? */
export function admit(steps: Steps): Step {
  // A remembered token has one principal, frozen: what could revoke it is worked out once.
  const known = new WeakMap<Principal, RevocationHandles | null>();
  const handlesOf = (principal: Principal): RevocationHandles | null => {
    const handles = known.get(principal) ?? revocable(principal);
    known.set(principal, handles);
    return handles;
  };
  return (walk) => {
    const { principal, route, refusal, boundary, context, proof } = walk;
    if (principal === null) return { reason: 'internal_error' };
    const budgets = refusal || route.found !== 'endpoint' ? [] : steps.budgetsFor(principal, route.endpoint);
    const partition = budgets.length > 0 ? partitionOf(principal, boundary, steps) : null;
    const revocation = steps.admission.looksForRevocation?.() === false ? null : handlesOf(principal);
    return after(partition, (partition) =>
      after(steps.admission.admit({ partition, budgets, revocation, proof }, context), (admitted): Reason | null => {
        walk.watch?.mark('admit');
        context.explain?.('admit', admitted.outcome, { budgets: budgets.map(({ name }) => name).join(' ') });
        const denial = denialOf(admitted);
        if (denial?.reason === 'credential_revoked' || denial?.reason === 'proof_replayed') {
          if (boundary.addressPartition !== null)
            steps.failures.spend(boundary.addressPartition, walk.startedMs, walk.context);
          return denial;
        }
        if (admitted.outcome === 'admitted' || admitted.outcome === 'exhausted') {
          walk.budgets = admitted.budgets;
          if (admitted.degraded.length > 0) walk.degraded = [...walk.degraded, ...admitted.degraded];
        }
        return refusal ?? denial;
      }),
    );
  };
}

function denialOf(admitted: AdmissionAnswer): Reason | null {
  switch (admitted.outcome) {
    case 'admitted':
      return null;
    case 'revoked':
      return { reason: 'credential_revoked', by: admitted.by };
    case 'replayed':
      return { reason: 'proof_replayed' };
    case 'exhausted':
      return {
        reason: 'budget_exhausted',
        budget: admitted.budget,
        retryAfterSeconds: admitted.retryAfterSeconds,
      };
    case 'unavailable':
      return {
        reason: admitted.what === 'limits' ? 'limits_unavailable' : 'revocation_unavailable',
        retryAfterSeconds: admitted.retryAfterSeconds,
      };
  }
}

/** Whose budgets a caller spends from: the verified identity, or the address where nobody has an identity. */
function partitionOf(principal: Principal, boundary: Boundary, steps: Steps): Eventually<string> {
  return principal.method === 'none' && boundary.ingressIdentity === null
    ? steps.pseudonym('address', boundary.addressPartition ?? 'unknown')
    : steps.pseudonym('identity', principal.identity);
}
