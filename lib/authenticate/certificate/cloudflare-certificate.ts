import type { ClientCertificate } from '../../decision/principal.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import { thumbprintFromHex } from './certificate-headers.ts';
import { decodeStrictBase64, readX509 } from './x509.ts';

/** What Cloudflare makes of the client's certificate: at most one of the two is there. */
export interface CloudflareCertificate {
  readonly certificate: ClientCertificate | null;
  readonly refusal: CredentialReason | null;
}

/**
 * Reads `request.cf.tlsClientAuth`. Only a certificate that was presented, verified (`SUCCESS`) and not revoked (`0`)
 * counts; the other fields are filled in even when verification failed. All of them are strings. Subject and
 * alternative names come from the certificate itself where Cloudflare passes it on (RFC 9440, at most 10 KB), else from
 * Cloudflare's own reading, which has no alternative names.
 */
export function cloudflareCertificate(tlsClientAuth: unknown): CloudflareCertificate {
  const text = (name: string): string => {
    const value =
      typeof tlsClientAuth === 'object' && tlsClientAuth !== null && Object.hasOwn(tlsClientAuth, name)
        ? (tlsClientAuth as Record<string, unknown>)[name]
        : null;
    return typeof value === 'string' ? value : '';
  };
  const refuse = (refusal: CredentialReason): CloudflareCertificate => ({ certificate: null, refusal });

  if (text('certPresented') !== '1') return { certificate: null, refusal: null };
  if (text('certVerified') === 'FAILED:certificate has expired') return refuse({ reason: 'certificate_expired' });
  if (text('certVerified') !== 'SUCCESS' || text('certRevoked') !== '0')
    return refuse({ reason: 'certificate_unverified' });

  const thumbprint = thumbprintFromHex(text('certFingerprintSHA256'));
  const encoded = /^:([^:]+):$/.exec(text('certRFC9440'))?.[1];
  if (encoded !== undefined) {
    const der = decodeStrictBase64(encoded);
    const read = der === null ? null : readX509(der);
    return read === null
      ? refuse({ reason: 'certificate_malformed' })
      : { certificate: { ...read, thumbprint }, refusal: null };
  }
  const certificate: ClientCertificate = {
    subject: text('certSubjectDNRFC2253'),
    issuer: text('certIssuerDNRFC2253'),
    subjectAltNames: [],
    thumbprint,
    notBeforeSeconds: readDate(text('certNotBefore')),
    notAfterSeconds: readDate(text('certNotAfter')),
  };
  return { certificate, refusal: null };
}

/** `Dec 22 19:39:00 2018 GMT` in epoch seconds, or null. */
function readDate(text: string): number | null {
  const [, month, day, time, year] = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4}) GMT$/.exec(text) ?? [];
  const milliseconds = Date.parse(`${day} ${month} ${year} ${time} GMT`);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}
