import type * as z from 'zod/mini';
import { parseStrictJson } from '../../codec/strict-json.ts';
import type { ClientCertificate } from '../../decision/principal.ts';
import { type AttributeRule, attributeAccepts, policyShape, ruleOf } from './certificate-rule.ts';
import { canonicalName, commonName, readDistinguishedName } from './distinguished-name.ts';

/** What certificates with these attributes may do. Every attribute that is given must match. */
export type CertificateRule = AttributeRule;
export type CertificatePolicy = readonly CertificateRule[];

export interface PolicyProblem {
  readonly found: string;
  readonly accepted: string;
}

const whole =
  'a JSON array of at most 1000 `{"subject"|"san"|"cn"|"ou"|"issuer"|"thumbprint", "scopes"?, "roles"?}`, each with at least one attribute';

/**
 * Reads `TGEFD_MTLS_POLICY`: a JSON array of rules. A rule names at least one attribute: `subject` and `issuer` as
 * distinguished names, whose spacing and order of parts do not count; `cn` and `ou`; `san` as `URI:…`, `DNS:…` or
 * `email:…`, for SPIFFE IDs also with `/*` at its end; `thumbprint` as base64url or hexadecimal SHA-256. `roleNames` are the
 * roles that exist, lower case; others are problems, since they would quietly grant nothing. Gives the policy, or one
 * problem for each fault.
 */
export function parseCertificatePolicy(
  text: string,
  roleNames: readonly string[],
): { readonly policy: CertificatePolicy; readonly problems: readonly PolicyProblem[] } {
  const document = parseStrictJson(text);
  if (document === undefined)
    return { policy: [], problems: [{ found: 'malformed JSON, or a member given twice', accepted: whole }] };
  const read = policyShape(roleNames).safeParse(document);
  if (read.success) return { policy: read.data.map(ruleOf), problems: [] };
  return {
    policy: [],
    problems: read.error.issues.flatMap(eachFault).map(({ path: [index, name] }) => ({
      found:
        index === undefined
          ? 'something else'
          : `a fault in rule ${Number(index) + 1}${name === undefined ? '' : `, \`${String(name)}\``}`,
      accepted: (name !== undefined && attributeAccepts.get(name)) || whole,
    })),
  };
}

/** Each fault of a list of its own, where a single entry may stand for a list. */
function eachFault(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  const entries = issue.code === 'invalid_union' ? issue.errors.flat().filter(({ path }) => path.length > 0) : [];
  return entries.length > 0 ? entries.map((entry) => ({ ...entry, path: issue.path }) as z.core.$ZodIssue) : [issue];
}

/** The rules that match a certificate: every attribute that a rule gives is one of the certificate's. */
export function rulesFor(policy: CertificatePolicy, certificate: ClientCertificate): CertificatePolicy {
  const names = namesOf(certificate);
  return policy.filter(
    ({ subject, subjectAltName, spiffePrefix, commonName, organizationalUnit, issuer, thumbprint }) =>
      (subject === null || subject === names.subject) &&
      (subjectAltName === null || certificate.subjectAltNames.includes(subjectAltName)) &&
      (spiffePrefix === null || names.spiffeId?.startsWith(spiffePrefix) === true) &&
      (commonName === null || commonName === names.commonName) &&
      (organizationalUnit === null || names.organizationalUnits.includes(organizationalUnit)) &&
      (issuer === null || issuer === names.issuer) &&
      (thumbprint === null || thumbprint === certificate.thumbprint),
  );
}

/** What rules compare with, worked out once for a certificate. */
interface Names {
  readonly subject: string | null;
  readonly issuer: string | null;
  readonly commonName: string | null;
  readonly organizationalUnits: readonly string[];
  readonly spiffeId: string | null;
}

const known = new WeakMap<ClientCertificate, Names>();

function namesOf(certificate: ClientCertificate): Names {
  const before = known.get(certificate);
  if (before !== undefined) return before;
  const { subject, issuer = '', subjectAltNames } = certificate;
  const uris = subjectAltNames.filter((name) => name.startsWith('URI:')).map((name) => name.slice('URI:'.length));
  const attributes = readDistinguishedName(subject)?.flat() ?? [];
  const names: Names = {
    subject: subject === '' ? null : canonicalName(subject),
    issuer: issuer === '' ? null : canonicalName(issuer),
    commonName: commonName(subject),
    organizationalUnits: attributes.flatMap(({ type, text }) => (type === 'ou' && text !== null ? [text] : [])),
    spiffeId: spiffeIdIn(uris),
  };
  known.set(certificate, names);
  return names;
}

/** The one SPIFFE ID of a certificate (SPIFFE X.509-SVID §2: exactly one URI), unless its path could be read in two ways. */
function spiffeIdIn(uris: readonly string[]): string | null {
  const [uri, another] = uris;
  if (uri === undefined || another !== undefined || !uri.startsWith('spiffe://')) return null;
  const segments = uri.slice('spiffe://'.length).split('/');
  return segments.some((segment) => segment === '' || segment === '.' || segment === '..' || segment.includes('%'))
    ? null
    : uri;
}
