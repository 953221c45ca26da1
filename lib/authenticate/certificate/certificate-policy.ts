import * as z from 'zod/mini';
import { decodeBase64url, encodeBase64url } from '../../codec/base64url.ts';
import { parseStrictJson } from '../../codec/strict-json.ts';
import type { ClientCertificate } from '../../decision/principal.ts';

/** What certificates with these attributes may do. Every attribute that is given must match exactly. */
export interface CertificateRule {
  readonly subject: string | null;
  readonly subjectAltName: string | null;
  /** SHA-256 of the certificate, base64url. */
  readonly thumbprint: string | null;
  readonly scopes: readonly string[] | null;
  readonly roles: readonly string[] | null;
}

export type CertificatePolicy = readonly CertificateRule[];

export interface PolicyProblem {
  readonly found: string;
  readonly accepted: string;
}

const whole =
  'a JSON array of at most 1000 `{"subject"|"san"|"thumbprint", "scopes"?, "roles"?}`, each with at least one attribute';
const attribute = z.string().check(z.minLength(1), z.maxLength(2048));
const scope = z.string().check(z.regex(/^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,128}$/));

const accepts: ReadonlyMap<PropertyKey, string> = new Map([
  ['subject', 'the whole distinguished name, as the source of certificates writes it'],
  ['san', '`URI:…`, `DNS:…` or `email:…`'],
  ['thumbprint', 'the SHA-256 of the certificate in base64url or hexadecimal'],
  ['scopes', 'at most 100 scope names, or `*`'],
  ['roles', 'role names that exist'],
]);

function policySchema(roleNames: readonly string[]) {
  return z
    .array(
      z.pipe(
        z
          .strictObject({
            subject: z.optional(attribute),
            san: z.optional(attribute.check(z.regex(/^(?:URI|DNS|email):./))),
            thumbprint: z.optional(attribute.check(z.refine((text) => thumbprintIn(text) !== null))),
            scopes: z.optional(z.array(scope).check(z.maxLength(100))),
            roles: z.optional(z.array(z.string().check(z.refine((name) => roleNames.includes(name.toLowerCase()))))),
          })
          .check(
            z.refine(({ subject, san, thumbprint }) => [subject, san, thumbprint].some((given) => given !== undefined)),
          ),
        z.transform(
          (rule): CertificateRule => ({
            subject: rule.subject ?? null,
            subjectAltName: rule.san ?? null,
            thumbprint: rule.thumbprint === undefined ? null : thumbprintIn(rule.thumbprint),
            scopes: rule.scopes ?? null,
            roles: rule.roles ?? null,
          }),
        ),
      ),
    )
    .check(z.maxLength(1000));
}

/** A SHA-256 thumbprint as base64url (RFC 8705 §3.1), from that or from hexadecimal digits with or without colons. */
export function thumbprintIn(text: string): string | null {
  const digits = text.replaceAll(':', '');
  if (/^[0-9A-Fa-f]{64}$/.test(digits))
    return encodeBase64url(
      Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16)),
    );
  return decodeBase64url(text)?.length === 32 ? text : null;
}

/**
 * Reads `TGEFD_MTLS_POLICY`: a JSON array of rules. A rule names at least one attribute: `subject` as the source of
 * certificates writes it, `san` as `URI:…`, `DNS:…` or `email:…`, `thumbprint` as base64url or hexadecimal SHA-256.
 * `roleNames` are the roles that exist, lower case; others are problems, since they would quietly grant nothing. Gives
 * the policy, or one problem for each fault.
 */
export function parseCertificatePolicy(
  text: string,
  roleNames: readonly string[],
): { readonly policy: CertificatePolicy; readonly problems: readonly PolicyProblem[] } {
  const document = parseStrictJson(text);
  if (document === undefined)
    return { policy: [], problems: [{ found: 'malformed JSON, or a member given twice', accepted: whole }] };
  const read = policySchema(roleNames).safeParse(document);
  if (read.success) return { policy: read.data, problems: [] };
  return {
    policy: [],
    problems: read.error.issues.map(({ path: [index, name] }) => ({
      found:
        index === undefined
          ? 'something else'
          : `a fault in rule ${Number(index) + 1}${name === undefined ? '' : `, \`${String(name)}\``}`,
      accepted: (name !== undefined && accepts.get(name)) || whole,
    })),
  };
}

/** The rules that match a certificate: every attribute a rule gives is the certificate's, character for character. */
export function rulesFor(policy: CertificatePolicy, certificate: ClientCertificate): CertificatePolicy {
  return policy.filter(
    ({ subject, subjectAltName, thumbprint }) =>
      (subject === null || subject === certificate.subject) &&
      (subjectAltName === null || certificate.subjectAltNames.includes(subjectAltName)) &&
      (thumbprint === null || thumbprint === certificate.thumbprint),
  );
}
