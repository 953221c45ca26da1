import { encodeBase64url } from '../../codec/base64url.ts';
import type { ClientCertificate } from '../../decision/principal.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import type { HeaderFields } from '../../decision/request.ts';
import { canonicalName } from './distinguished-name.ts';
import { parseForwardedClientCert } from './forwarded-client-cert.ts';
import { certificateFromDer, certificateFromPem, decodeStrictBase64 } from './x509.ts';

/** What one source says of the client's certificate. `no_certificate`: that there was none, which contradicts any other. */
export type Statement =
  | { readonly says: 'nothing' }
  | { readonly says: 'no_certificate' }
  | { readonly says: 'certificate'; readonly field: string; readonly certificate: ClientCertificate }
  | { readonly says: 'refused'; readonly reason: CredentialReason };

export type CertificateSource = (believed: HeaderFields) => Statement | Promise<Statement>;

/** How the text of a whole certificate is read: handed in so that one that was read before need not be hashed again. */
export type ReadText = (
  text: string,
  read: (text: string) => Promise<ClientCertificate | null>,
) => ClientCertificate | null | Promise<ClientCertificate | null>;

const maximumSubjectLength = 2048;

export const nothing: Statement = { says: 'nothing' };
const noCertificate: Statement = { says: 'no_certificate' };
function refused(reason: CredentialReason): Statement {
  return { says: 'refused', reason };
}
export const malformed = refused({ reason: 'certificate_malformed' });
const unverified = refused({ reason: 'certificate_unverified' });
export function repeated(field: string): Statement {
  return refused({ reason: 'forwarded_invalid', field });
}

export function statement(field: string, read: ReturnType<ReadText>): Statement | Promise<Statement> {
  const settle = (certificate: ClientCertificate | null): Statement =>
    certificate === null ? malformed : { says: 'certificate', field, certificate };
  return read instanceof Promise ? read.then(settle) : settle(read);
}

/**
 * A field, or null where the proxy had nothing to put into it: it is missing or empty, a placeholder that Caddy left in
 * (`{…}`), Apache's `(null)`, or nginx's `NONE`.
 */
export function fieldOf(believed: HeaderFields, name: string): string | null {
  const value = believed.get(name)?.trim() ?? '';
  return value === '' || value.startsWith('{') || value === '(null)' || value === 'NONE' ? null : value;
}

/** RFC 9440 §2.1: the certificate itself, one byte sequence. `Client-Cert-Chain` is not read. */
export function clientCertSource(readText: ReadText): CertificateSource {
  return (believed) => {
    const field = 'client-cert';
    const value = fieldOf(believed, field);
    if (value === null) return nothing;
    if (value.includes(',')) return repeated(field);
    if (value.length < 2 || !value.startsWith(':') || !value.endsWith(':')) return malformed;
    return statement(
      field,
      readText(value, async (text) => {
        const der = decodeStrictBase64(text.slice(1, -1));
        return der === null ? null : certificateFromDer(der);
      }),
    );
  };
}

/**
 * Envoy: each trusted hop appends one element about whoever connected to it. The caller's is the one that the farthest of
 * `hops` wrote, counted from the right; what stands further left came from the caller. Fewer elements are refused.
 */
export function forwardedClientCertSource(readText: ReadText, hops: number): CertificateSource {
  return (believed) => {
    const field = 'x-forwarded-client-cert';
    const value = fieldOf(believed, field);
    if (value === null) return nothing;
    const element = parseForwardedClientCert(value)?.at(-hops);
    if (element === undefined) return malformed;
    const all = (key: string) => element.filter(([name, text]) => name === key && text !== '').map(([, text]) => text);
    const [hashes, subjects, certificates] = [all('hash'), all('subject'), all('cert')];
    if (hashes.length > 1 || subjects.length > 1 || certificates.length > 1) return malformed;

    const thumbprint = hashes[0] === undefined ? null : thumbprintFromHex(hashes[0]);
    if (thumbprint === null && hashes.length > 0) return malformed;
    const subject = subjects[0] ?? '';
    const subjectAltNames = [...all('uri').map((uri) => `URI:${uri}`), ...all('dns').map((name) => `DNS:${name}`)];
    if (certificates[0] !== undefined) {
      const settle = (read: Statement): Statement => {
        if (read.says !== 'certificate') return read;
        if (thumbprint !== null && read.certificate.thumbprint !== thumbprint) return malformed;
        return saysOf(read.certificate, subject, subjectAltNames) ? read : repeated(field);
      };
      const read = statement(field, readText(certificates[0], fromEncodedPem));
      return read instanceof Promise ? read.then(settle) : settle(read);
    }
    if (thumbprint === null && subject === '' && subjectAltNames.length === 0) return malformed;
    if (![subject, ...subjectAltNames].every(isPrintable)) return malformed;
    const dates = { notBeforeSeconds: null, notAfterSeconds: null };
    return { says: 'certificate', field, certificate: { subject, subjectAltNames, thumbprint, ...dates } };
  };
}

/** Whether what stands beside a whole certificate is its own subject, where one stands there, and names that it has. */
function saysOf(certificate: ClientCertificate, subject: string, names: readonly string[]): boolean {
  if (subject !== '' && canonicalName(subject) !== canonicalName(certificate.subject)) return false;
  return names.every((name) => certificate.subjectAltNames.includes(name));
}

/**
 * nginx and ingress-nginx: the result of the verification, which alone makes the others count, the subject and the
 * certificate in percent-encoded PEM. `subjectHeader` is left to its own source when it is one of these.
 */
export function nginxSource(readText: ReadText, subjectHeader: string): CertificateSource {
  return (believed) => {
    const verification = believed.get('ssl-client-verify')?.trim() ?? '';
    const subjects = ['ssl-client-s-dn', 'ssl-client-subject-dn']
      .filter((name) => name !== subjectHeader)
      .map((name) => [name, fieldOf(believed, name)] as const)
      .filter((found): found is readonly [string, string] => found[1] !== null);
    const pem = fieldOf(believed, 'ssl-client-cert');
    const issuers = ['ssl-client-i-dn', 'ssl-client-issuer-dn'].flatMap((name) => fieldOf(believed, name) ?? []);
    const isNamed = subjects.length > 0 || pem !== null;

    if (verification === 'NONE' && !isNamed) return noCertificate;
    if (verification !== 'SUCCESS') {
      if (/^FAILED:.*expired$/.test(verification)) return refused({ reason: 'certificate_expired' });
      return isNamed || fieldOf(believed, 'ssl-client-verify') !== null ? unverified : nothing;
    }
    const [[field, subject] = ['ssl-client-verify', null], other] = subjects;
    if (other !== undefined && canonicalName(other[1]) !== canonicalName(subject ?? '')) return repeated(other[0]);
    if (subject !== null && isRepeated(believed, field, subject)) return repeated(field);
    const issuer = issuers[0] ?? '';
    if (issuers.some((another) => canonicalName(another) !== canonicalName(issuer))) return repeated('ssl-client-i-dn');
    if (pem === null) return subject === null ? nothing : named(field, subject, isPrintable(issuer) ? issuer : '');
    const settle = (read: Statement): Statement =>
      read.says === 'certificate' &&
      subject !== null &&
      canonicalName(read.certificate.subject) !== canonicalName(subject)
        ? repeated(field)
        : read;
    const read = statement('ssl-client-cert', readText(pem, fromEncodedPem));
    return read instanceof Promise ? read.then(settle) : settle(read);
  };
}

/** The plan's header: a subject, and nothing that says how it was verified. The ingress must set it only after it has. */
export function subjectSource(subjectHeader: string): CertificateSource {
  return (believed) => {
    const subject = fieldOf(believed, subjectHeader);
    if (subject === null) return nothing;
    if (subject.startsWith('FAILED')) return unverified;
    return isRepeated(believed, subjectHeader, subject) ? repeated(subjectHeader) : named(subjectHeader, subject);
  };
}

export function named(field: string, subject: string, issuer = ''): Statement {
  if (subject.length > maximumSubjectLength || !isPrintable(subject)) return malformed;
  const certificate = {
    subject,
    ...(issuer === '' ? {} : { issuer }),
    subjectAltNames: [],
    thumbprint: null,
    notBeforeSeconds: null,
    notAfterSeconds: null,
  };
  return { says: 'certificate', field, certificate };
}

/**
 * Whether a field with a distinguished name arrived more than once. Where the platform joins repetitions, RFC 4514 tells: it
 * puts no space after a comma, so a comma with one that no backslash protects is where two fields were joined.
 */
export function isRepeated(believed: HeaderFields, field: string, name: string): boolean {
  const times = believed.times?.(field);
  return times === undefined ? /(?<!\\)(?:\\\\)*, /.test(name) : times > 1;
}

/** Other characters reach us differently on each runtime, so a name with them is not one name. */
function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** A SHA-256 in 64 hexadecimal digits as RFC 8705 §3.1 writes it, or null. */
export function thumbprintFromHex(digits: string): string | null {
  return /^[0-9A-Fa-f]{64}$/.test(digits)
    ? encodeBase64url(Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
    : null;
}

export async function fromEncodedPem(text: string): Promise<ClientCertificate | null> {
  let pem: string;
  try {
    pem = decodeURIComponent(text);
  } catch {
    return null;
  }
  return certificateFromPem(pem);
}
