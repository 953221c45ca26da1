import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { VerifyChain } from '../../../authenticate/certificate/sources/traefik-certificate.ts';
import { type CertificateExtension, readExtensions } from '../../../authenticate/certificate/x509-extensions.ts';
import { createRecentMap } from '../../../codec/recent-map.ts';
import type { Problem } from '../../../config/problem.ts';
import { type Settings, variables } from '../../../config/variables.ts';

const LONGEST_CHAIN = 6;
/** A valid chain is remembered, since callers come back with it on every request; refused ones are not. */
const MOST_REMEMBERED = 10_000;
const REMEMBERED_MS = 300_000;
const MINIMUM_RSA_BITS = 2048;
const CLIENT_AUTH = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
const [KEY_USAGE, BASIC_CONSTRAINTS, NAME_CONSTRAINTS, EXTENDED_KEY_USAGE] = [
  '2.5.29.15',
  '2.5.29.19',
  '2.5.29.30',
  '2.5.29.37',
];
/** Extensions that may be critical: those checked here, alternative names, certificate policies (any policy is accepted). */
const UNDERSTOOD = new Set([KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, '2.5.29.17', '2.5.29.32']);

/** A certificate with its extensions. */
interface Link {
  readonly certificate: X509Certificate;
  readonly extensions: readonly CertificateExtension[];
}

/** The authorities of `TGEFD_MTLS_CA_FILE`, null where it is not given, or why they cannot be used. */
export function readAuthorities(settings: Settings): readonly Uint8Array[] | Problem | null {
  const path = settings.mtlsCaFile;
  if (path === null) return null;
  const problem = (found: string): Problem => ({
    variable: variables.mtlsCaFile.name,
    found,
    accepted: 'a file with the certificates of authorities in PEM',
  });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return problem(`a file that cannot be read (${(error as { code?: string }).code ?? 'unknown'})`);
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return problem('no certificate');
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    if (certificates.some(({ ca }) => !ca)) return problem('a certificate that is no authority’s');
    return certificates.map(({ raw }) => new Uint8Array(raw));
  } catch {
    return problem('a certificate that cannot be read');
  }
}

/** What is wrong with the authorities of client certificates. */
export function authorityProblems(settings: Settings): readonly Problem[] {
  const read = readAuthorities(settings);
  return read !== null && 'found' in read ? [read] : [];
}

/** The verification of client certificates by the configured authorities; null where there are none. */
export function chainVerifierOf(settings: Settings, nowMs: () => number): VerifyChain | null {
  const read = readAuthorities(settings);
  return read === null || 'found' in read ? null : createChainVerifier(read, nowMs);
}

/**
 * Makes the verification of a client's chain (RFC 5280 §6.1): signatures, validity, authorities by basic constraints, key
 * usage and path length, purpose `clientAuth`, RSA keys of at least 2048 bits, no SHA-1. An authority with name constraints,
 * and any critical extension that is not checked here, makes a chain invalid. Revocation is not looked at. A valid chain is
 * remembered for five minutes, and never beyond the end of one of its certificates.
 *
 * @param authorities - trusted certificates in DER; a chain must end in one of them.
 * @param nowMs - the wall clock.
 */
export function createChainVerifier(authorities: readonly Uint8Array[], nowMs: () => number): VerifyChain {
  const anchors = authorities.map(linkOf).filter((link) => link !== null);
  const verified = createRecentMap<Verified>({ maximumEntries: MOST_REMEMBERED });
  return (chain) => {
    if (chain.length === 0 || chain.length > LONGEST_CHAIN) return false;
    const now = nowMs();
    const name = nameOf(chain);
    const before = verified.get(name);
    if (before !== undefined && now >= before.atMs && now < before.untilMs) return true;
    const links = chain.map(linkOf);
    if (links.includes(null)) return false;
    const [leaf, ...intermediates] = links as [Link, ...Link[]];
    if (!isUsable(leaf, now) || !servesClients(leaf)) return false;
    if (!reachesAnchor(leaf, 0, { anchors, intermediates, now })) return false;
    verified.set(name, { atMs: now, untilMs: firstEnd([leaf, ...intermediates, ...anchors], now) });
    return true;
  };
}

/** A chain that was valid at an instant, and until when nothing of it ends. */
interface Verified {
  readonly atMs: number;
  readonly untilMs: number;
}

/** The digest of a chain. Every part is preceded by its length, so that no two chains share a name. */
function nameOf(chain: readonly Uint8Array[]): string {
  const digest = createHash('sha256');
  for (const der of chain) digest.update(`${der.length}:`).update(der);
  return digest.digest('base64');
}

/** When the first certificate ends that has not ended yet, and five minutes from now at the latest. */
function firstEnd(links: readonly Link[], nowMs: number): number {
  const ends = links.map(({ certificate }) => certificate.validToDate.getTime()).filter((endMs) => endMs >= nowMs);
  return Math.min(nowMs + REMEMBERED_MS, ...ends);
}

interface Search {
  readonly anchors: readonly Link[];
  readonly intermediates: readonly Link[];
  readonly now: number;
}

/** Whether a chain leads from `link` to an anchor. `below` counts the authorities between it and the client's certificate. */
function reachesAnchor(link: Link, below: number, search: Search): boolean {
  if (search.anchors.some((anchor) => issued(anchor, link, below, search.now))) return true;
  return search.intermediates.some((authority, place) => {
    if (!issued(authority, link, below, search.now)) return false;
    const intermediates = search.intermediates.filter((_, other) => other !== place);
    return reachesAnchor(authority, below + 1, { ...search, intermediates });
  });
}

/** Whether `authority` may issue, and did issue, `link`. */
function issued(authority: Link, link: Link, below: number, now: number): boolean {
  const { certificate } = authority;
  if (!link.certificate.checkIssued(certificate) || !isUsable(authority, now)) return false;
  const constraints = extensionOf(authority, BASIC_CONSTRAINTS)?.authority;
  if (!certificate.ca || constraints?.isAuthority !== true) return false;
  if (constraints.pathLength !== null && below > constraints.pathLength) return false;
  if (extensionOf(authority, KEY_USAGE)?.signsCertificates === false) return false;
  if (extensionOf(authority, NAME_CONSTRAINTS) !== undefined || !servesClients(authority)) return false;
  try {
    return link.certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}

function isUsable({ certificate, extensions }: Link, now: number): boolean {
  if (now < certificate.validFromDate.getTime() || now > certificate.validToDate.getTime()) return false;
  if (extensions.some(({ isCritical, id }) => isCritical && !UNDERSTOOD.has(id))) return false;
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < MINIMUM_RSA_BITS) return false;
  return !/sha1|md5/i.test(certificate.signatureAlgorithm ?? '');
}

function servesClients(link: Link): boolean {
  const purposes = extensionOf(link, EXTENDED_KEY_USAGE)?.purposes;
  return purposes === undefined || purposes.some((purpose) => CLIENT_AUTH.includes(purpose));
}

function extensionOf({ extensions }: Link, id: string): CertificateExtension | undefined {
  return extensions.find((extension) => extension.id === id);
}

function linkOf(der: Uint8Array): Link | null {
  const extensions = readExtensions(der);
  if (extensions === null) return null;
  try {
    return { certificate: new X509Certificate(der), extensions };
  } catch {
    return null;
  }
}
