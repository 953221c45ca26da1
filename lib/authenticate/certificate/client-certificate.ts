import type { Clock } from '../../decision/ports.ts';
import type { ClientCertificate } from '../../decision/principal.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import type { Boundary, HeaderFields, Hop } from '../../decision/request.ts';
import {
  type CertificateSource,
  clientCertSource,
  forwardedClientCertSource,
  nginxSource,
  type ReadText,
  type Statement,
  subjectSource,
} from './certificate-headers.ts';
import { canonicalName, commonName } from './distinguished-name.ts';
import { loadBalancerSource } from './sources/load-balancer-certificate.ts';
import { traefikSource, type VerifyChain } from './sources/traefik-certificate.ts';

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

/**
 * The header fields in which a trusted proxy may name the caller's certificate: RFC 9440, Envoy, nginx, an AWS load balancer,
 * Traefik, and the configured subject field.
 */
export const certificateHeaders = ['client_cert', 'xfcc', 'nginx', 'alb', 'traefik', 'subject'] as const;
export type CertificateHeader = (typeof certificateHeaders)[number];

export interface CertificateReaderSettings {
  /** The sources to read, in this order. Every one that the ingress does not set itself is one that a stranger may try. */
  readonly headers: readonly CertificateHeader[];
  /** Name of the configured header with a subject, lower case. */
  readonly subjectHeader: string;
  readonly scopesHeader: string | null;
  readonly roleHeader: string | null;
  /** How many trusted hops appended to Envoy's field; the element that the farthest of them wrote is the caller's. */
  readonly forwardedHops?: number;
}

const rememberedCertificates = 256;

/**
 * Finds the caller's client certificate. A caller who speaks to us directly is who the platform's own
 * verified certificate says, and no header counts. Behind a trusted hop that certificate is the proxy's, never the
 * caller's, so only the header fields count: they must all name the same certificate (one that says more than another
 * completes it), or the request is refused as `forwarded_invalid`. A certificate outside of its validity is refused
 * where the dates are known.
 *
 * Verifies no chain and no revocation: the hop or the platform has. Where a proxy asks for certificates without verifying
 * them and still forwards the subject, the plan's header alone cannot tell.
 */
export function createCertificateReader(
  settings: CertificateReaderSettings,
  { clock, verifyChain }: { readonly clock: Clock; readonly verifyChain?: VerifyChain | null },
): CertificateReader {
  const { headers, subjectHeader, scopesHeader, roleHeader } = settings;
  const readText = rememberReadings();
  const available: Readonly<Record<CertificateHeader, CertificateSource>> = {
    client_cert: clientCertSource(readText),
    xfcc: forwardedClientCertSource(readText, settings.forwardedHops ?? 1),
    nginx: nginxSource(readText, subjectHeader),
    alb: loadBalancerSource(readText),
    traefik: traefikSource(verifyChain ?? null),
    subject: subjectSource(subjectHeader),
  };
  const sources = headers.map((header) => available[header]);

  const accept = (certificate: ClientCertificate, believed: HeaderFields | null): CertificateReading => {
    const nowSeconds = Math.floor(clock() / 1000);
    const { notBeforeSeconds, notAfterSeconds } = certificate;
    if (nowSeconds < (notBeforeSeconds ?? nowSeconds) || nowSeconds > (notAfterSeconds ?? nowSeconds))
      return { found: 'refused', reason: { reason: 'certificate_expired' } };
    const believe = (name: string | null) => (name === null ? null : (believed?.get(name) ?? null));
    return { found: 'certificate', certificate, scopes: believe(scopesHeader), roles: believe(roleHeader) };
  };

  const combine = (statements: readonly Statement[], believed: HeaderFields): CertificateReading => {
    let agreed: ClientCertificate | null = null;
    for (const said of statements) {
      if (said.says === 'refused') return { found: 'refused', reason: said.reason };
      if (said.says !== 'certificate') continue;
      const contradicted =
        statements.some(({ says }) => says === 'no_certificate') || (agreed && !isSame(agreed, said.certificate));
      if (contradicted) return { found: 'refused', reason: { reason: 'forwarded_invalid', field: said.field } };
      agreed = agreed ? complete(agreed, said.certificate) : said.certificate;
    }
    return agreed ? accept(agreed, believed) : { found: 'none' };
  };

  return ({ trustedHop, believed }, { certificate, certificateRefusal }) => {
    if (!trustedHop) {
      if (certificateRefusal) return { found: 'refused', reason: certificateRefusal };
      return certificate ? accept(certificate, null) : { found: 'none' };
    }
    const statements = sources.map((source) => source(believed));
    return statements.some((said) => said instanceof Promise)
      ? Promise.all(statements).then((settled) => combine(settled, believed))
      : combine(statements as Statement[], believed);
  };
}

/** The same certificate, as far as both tell; when nothing that both tell can be compared, it is not. */
function isSame(one: ClientCertificate, other: ClientCertificate): boolean {
  if (one.thumbprint !== null && other.thumbprint !== null) return one.thumbprint === other.thumbprint;
  if (one.issuer && other.issuer && canonicalName(one.issuer) !== canonicalName(other.issuer)) return false;
  return one.subject !== '' && other.subject !== '' && (names(one, other.subject) || names(other, one.subject));
}

/** Whether `text` is the subject of a certificate, its common name, or one of its alternative names. */
function names({ subject, subjectAltNames }: ClientCertificate, text: string): boolean {
  return (
    canonicalName(text) === canonicalName(subject) ||
    text === commonName(subject) ||
    subjectAltNames.some((name) => name.slice(name.indexOf(':') + 1) === text)
  );
}

function complete(one: ClientCertificate, other: ClientCertificate): ClientCertificate {
  return {
    // A whole certificate knows its own subject best.
    subject:
      (one.notAfterSeconds === null && other.notAfterSeconds !== null ? other.subject : one.subject) || other.subject,
    issuer:
      (one.notAfterSeconds === null && other.notAfterSeconds !== null ? other.issuer : one.issuer) ||
      other.issuer ||
      '',
    serialNumber: one.serialNumber ?? other.serialNumber ?? '',
    subjectAltNames: one.subjectAltNames.length > 0 ? one.subjectAltNames : other.subjectAltNames,
    thumbprint: one.thumbprint ?? other.thumbprint,
    notBeforeSeconds: one.notBeforeSeconds ?? other.notBeforeSeconds,
    notAfterSeconds: one.notAfterSeconds ?? other.notAfterSeconds,
  };
}

/** Remembers the certificates read last by their text, so that a caller who comes again costs no hash and no promise. */
function rememberReadings(): ReadText {
  const known = new Map<string, ClientCertificate>();
  return (text, read) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    return read(text).then((certificate) => {
      const oldest = known.size >= rememberedCertificates ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      if (certificate !== null) known.set(text, certificate);
      return certificate;
    });
  };
}
