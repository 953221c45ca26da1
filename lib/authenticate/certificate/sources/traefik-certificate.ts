import type { ClientCertificate } from '../../../decision/principal.ts';
import type { HeaderFields } from '../../../decision/request.ts';
import {
  type CertificateSource,
  fieldOf,
  malformed,
  nothing,
  repeated,
  type Statement,
} from '../certificate-headers.ts';
import { certificateFromDer, decodeStrictBase64 } from '../x509.ts';

/**
 * Verifies a chain of certificates (DER), the client's own first, against the configured authorities at this instant.
 * Traefik's field does not say whether anybody has.
 */
export type VerifyChain = (chain: readonly Uint8Array[]) => boolean;

/** The field in which Traefik passes the client's certificates on. */
export const traefikField = 'x-forwarded-tls-client-cert';

const MOST_CERTIFICATES = 10;
const LONGEST_FIELD = 64 * 1024;

/**
 * Traefik (`passTLSClientCert` with `pem`): the certificates as base64 without the lines around them, separated by commas,
 * percent-encoded by older versions. They count only when they verify here.
 */
export function traefikSource(verifyChain: VerifyChain | null): CertificateSource {
  return (believed) => {
    const value = fieldOf(believed, traefikField);
    if (value === null) return nothing;
    if (isSentTwice(believed, value)) return repeated(traefikField);
    const chain = value.length > LONGEST_FIELD ? null : readChain(value);
    const [leaf] = chain ?? [];
    if (chain === null || leaf === undefined) return malformed;
    if (verifyChain === null || !verifyChain(chain))
      return { says: 'refused', reason: { reason: 'certificate_unverified' } };
    return certificateFromDer(leaf).then(
      (certificate: ClientCertificate | null): Statement =>
        certificate === null ? malformed : { says: 'certificate', field: traefikField, certificate },
    );
  };
}

/** Traefik writes no space after a comma: where there is one, two fields were joined. */
function isSentTwice(believed: HeaderFields, value: string): boolean {
  const times = believed.times?.(traefikField);
  return times === undefined ? value.includes(', ') : times > 1;
}

function readChain(value: string): readonly Uint8Array[] | null {
  let text: string;
  try {
    text = value.includes('%') ? decodeURIComponent(value) : value;
  } catch {
    return null;
  }
  const parts = text.split(',').map((part) => part.replace(/-----(?:BEGIN|END) CERTIFICATE-----|\s/g, ''));
  if (parts.length > MOST_CERTIFICATES) return null;
  const chain = parts.map(decodeStrictBase64);
  return chain.includes(null) ? null : (chain as Uint8Array[]);
}
