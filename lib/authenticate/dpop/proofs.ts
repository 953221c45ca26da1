import type { Clock, RequestContext } from '../../decision/ports.ts';
import type { Authentication } from '../../decision/principal.ts';
import type { AccessRequest, Boundary } from '../../decision/request.ts';
import { refused } from '../authenticator.ts';
import type { CheckProof } from './proof.ts';
import type { CanonicalPath } from './target-uri.ts';

/** Proofs of possession, as the authentication by token uses them. */
export interface Proofs {
  /** Tokens that are bound to no key are refused (`TGEFD_DPOP=required`). */
  readonly required: boolean;
  /** Checks the proof of a request once its token, and a certificate that it is bound to, have been found good. */
  prove(
    certified: Authentication | Promise<Authentication>,
    token: { readonly thumbprint: string; readonly tokenHash: string },
    presented: { readonly request: AccessRequest; readonly boundary: Boundary; readonly context: RequestContext },
  ): Promise<Authentication>;
}

/** Makes the check of what a bound token demands. The proof itself travels in the field `DPoP` (RFC 9449 §7.1). */
export function createProofs(
  settings: { readonly required: boolean },
  parts: { readonly check: CheckProof; readonly canonicalPath: CanonicalPath; readonly clock: Clock },
): Proofs {
  return {
    required: settings.required,
    async prove(certified, token, { request, boundary, context }) {
      const authentication = await certified;
      if (authentication.outcome !== 'authenticated') return authentication;
      // Behind a trusted hop the caller's own path is not known; the hop passes on what the table knows.
      const called = boundary.trustedHop ? undefined : request.calledPath;
      const path = parts.canonicalPath(called ?? request.target);
      // Without a host nothing can be compared, and an empty one equals no `htu`.
      const target = { secure: boundary.secure, host: boundary.host ?? '', path: path ?? '' };
      const checked = await parts.check(request.headers.get('dpop'), {
        ...token,
        method: request.method,
        target,
        nowMs: parts.clock(),
      });
      if ('reason' in checked) return refused(context.explain, 'proof', checked);
      context.explain?.('proof', 'made for this request', { thumbprint: token.thumbprint });
      return { ...authentication, proof: checked };
    },
  };
}
