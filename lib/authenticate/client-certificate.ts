import type { Boundary, ClientCertificate, CredentialReason, Hop } from '../decision.ts';

/** What the sources of client certificates said about one request. */
export type CertificateReading =
  | {
      readonly found: 'certificate';
      readonly certificate: ClientCertificate;
      /** The believed scopes header as received, or null. */
      readonly scopes: string | null;
      /** The believed role header as received, or null. */
      readonly roles: string | null;
    }
  | { readonly found: 'none' }
  | { readonly found: 'refused'; readonly reason: CredentialReason };

/** Synchronous unless a certificate that was not seen before has to be hashed. Never throws and never rejects. */
export type CertificateReader = (
  boundary: Pick<Boundary, 'trustedHop' | 'believed'>,
  hop: Pick<Hop, 'certificate' | 'certificateRefusal'>,
) => CertificateReading | Promise<CertificateReading>;
