import type { Authentication } from '../decision/principal.ts';
import type { CredentialWay } from '../decision/request.ts';
import type { Authenticator } from './authenticator.ts';

/** One kind of credential with the authenticator that reads it. */
export interface Way {
  readonly way: CredentialWay;
  readonly authenticate: Authenticator;
}

/**
 * Accepts several kinds of credentials side by side. The first listed kind that is presented decides, and that the row
 * allows: what is presented and invalid is refused, never skipped. What comes later in the list is then not looked at.
 * Where nothing is presented, the answer asks for the first kind that the row allows.
 *
 * @param ways - the kinds, in the order of `TGEFD_AUTH_MODE`.
 * @returns the authenticator of all of them.
 */
export function createSeveralWays(ways: readonly Way[]): Authenticator {
  return (request, boundary, context, mayFetchKeys, allowed = null) => {
    const open = allowed === null ? ways : ways.filter(({ way }) => allowed.includes(way));
    const first = open[0]?.way;
    const tryFrom = (place: number): Authentication | Promise<Authentication> => {
      const next = open[place];
      if (next === undefined)
        return { outcome: 'refused', reason: { reason: 'credentials_missing' }, ...(first ? { method: first } : {}) };
      const settle = (answer: Authentication): Authentication | Promise<Authentication> => {
        if (answer.outcome !== 'refused') return answer;
        return answer.reason.reason === 'credentials_missing' ? tryFrom(place + 1) : { ...answer, method: next.way };
      };
      const answer = next.authenticate(request, boundary, context, mayFetchKeys, allowed);
      return answer instanceof Promise ? answer.then(settle) : settle(answer);
    };
    return tryFrom(0);
  };
}
