import type { RequestContext } from '../../../decision/ports.ts';
import type { Authentication } from '../../../decision/principal.ts';
import type { CredentialReason } from '../../../decision/reason.ts';
import type { AccessRequest, Boundary } from '../../../decision/request.ts';
import { authenticated, ownThumbprint, refused } from '../../authenticator.ts';
import type { CertificateReader, CertificateReading } from '../../certificate/client-certificate.ts';
import type { Proofs } from '../../dpop/proofs.ts';
import type { KnownToken } from './known-token.ts';

/** What one request brings besides its token. */
export interface Presentation {
  readonly request: AccessRequest;
  readonly boundary: Boundary;
  readonly context: RequestContext;
  readonly mayFetchKeys: boolean;
  /** The token came with the scheme `DPoP`. */
  readonly byProof: boolean;
}

const mismatch: CredentialReason = { reason: 'token_certificate_mismatch' };

/** Holds a token that is known to be good to the certificate (RFC 8705) or the key (RFC 9449) that it is bound to. */
export type Bind = (
  known: KnownToken,
  stale: boolean,
  presentation: Presentation,
) => Authentication | Promise<Authentication>;

export function createBind({
  readCertificate,
  proofs,
}: {
  readonly readCertificate: CertificateReader;
  readonly proofs: Proofs | null;
}): Bind {
  const certify: Bind = (known, stale, { request, boundary, context }) => {
    if (known.boundTo === null) return present(known, stale, ownThumbprint(request, boundary));
    const settle = (reading: CertificateReading) => {
      if (reading.found === 'refused') return refused(context.explain, 'certificate', reading.reason);
      const thumbprint = reading.found === 'certificate' ? reading.certificate.thumbprint : null;
      if (thumbprint !== known.boundTo) return refused(context.explain, 'certificate', mismatch);
      context.explain?.('certificate', 'the one that the token is bound to');
      return present(known, stale, thumbprint);
    };
    const reading = readCertificate(boundary, request.hop);
    return reading instanceof Promise ? reading.then(settle) : settle(reading);
  };

  return (known, stale, presentation) => {
    const { byProof, context } = presentation;
    if (known.proof === null ? byProof || proofs?.required === true : !byProof)
      return refused(context.explain, 'binding', {
        reason: 'token_binding_refused',
        sent: byProof ? 'dpop' : 'bearer',
      });
    const certified = certify(known, stale, presentation);
    return known.proof === null || proofs === null ? certified : proofs.prove(certified, known.proof, presentation);
  };
}

function present(known: KnownToken, stale: boolean, thumbprint: string | null): Authentication {
  const { principal } = known;
  if (thumbprint === principal.thumbprint) return stale ? authenticated(principal, true) : known.authentication;
  return authenticated({ ...principal, thumbprint }, stale);
}
