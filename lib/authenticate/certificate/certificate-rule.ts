import * as z from 'zod/mini';
import { decodeBase64url, encodeBase64url } from '../../codec/base64url.ts';
import { canonicalName } from './distinguished-name.ts';

/** One rule of `TGEFD_MTLS_POLICY`; an attribute that is null does not count. */
export interface AttributeRule {
  /** In one spelling (`canonicalName`), as is the issuer. */
  readonly subject: string | null;
  readonly subjectAltName: string | null;
  /** What a SPIFFE ID must begin with, the last `/` included. */
  readonly spiffePrefix: string | null;
  readonly commonName: string | null;
  readonly organizationalUnit: string | null;
  readonly issuer: string | null;
  /** SHA-256 of the certificate, base64url. */
  readonly thumbprint: string | null;
  readonly scopes: readonly string[] | null;
  readonly roles: readonly string[] | null;
}

/** What each member of a rule accepts. */
export const attributeAccepts: ReadonlyMap<PropertyKey, string> = new Map([
  ['subject', 'the whole distinguished name, such as `CN=svc,O=Example`, without `*`'],
  ['issuer', 'the whole distinguished name of the issuer, such as `CN=Example CA,O=Example`, without `*`'],
  ['cn', 'the common name alone, without `CN=` and without `*` but for a leading `*.`'],
  ['ou', 'the organizational unit alone, without `OU=` and `*`'],
  ['san', '`URI:…`, `DNS:…` or `email:…`; `*` only in `URI:spiffe://…/*` and `DNS:*.…`'],
  ['thumbprint', 'the SHA-256 of the certificate in base64url or hexadecimal'],
  ['scopes', 'at most 100 scope names without `*`, `|` and comma, or `*` alone'],
  ['roles', 'role names that exist'],
]);

const text = z.string().check(z.minLength(1), z.maxLength(2048));
const name = text.check(z.refine((value) => !value.replaceAll('=*.', '=').includes('*')));
const scope = z.string().check(z.regex(/^(?:\*|[\x21\x23-\x29\x2b\x2d-\x5b\x5d-\x7b\x7d\x7e]{1,128})$/));
const attributes = ['subject', 'san', 'cn', 'ou', 'issuer', 'thumbprint'] as const;

/** `*` is a wildcard nowhere but at the end of a SPIFFE ID; `DNS:*.example.com` is the literal name of such a certificate. */
function isSubjectAltName(value: string): boolean {
  if (!value.includes('*')) return /^(?:URI|DNS|email):[\x21-\x7e]+$/.test(value);
  return (
    /^DNS:\*\.[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/.test(value) ||
    /^URI:spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*\/\*$/.test(value)
  );
}

function listOf<S extends z.ZodMiniType<string, string>>(entry: S) {
  return z.union([entry, z.array(entry).check(z.maxLength(100))]);
}

function ruleShape(role: z.ZodMiniType<string, string>) {
  return z
    .strictObject({
      subject: z.optional(name),
      san: z.optional(text.check(z.refine(isSubjectAltName))),
      cn: z.optional(text.check(z.regex(/^(?:\*\.)?[^*=]+$/))),
      ou: z.optional(text.check(z.regex(/^[^*=]+$/))),
      issuer: z.optional(name),
      thumbprint: z.optional(text.check(z.refine((value) => thumbprintIn(value) !== null))),
      scopes: z.optional(listOf(scope)),
      roles: z.optional(listOf(role)),
    })
    .check(z.refine((rule) => attributes.some((attribute) => rule[attribute] !== undefined)));
}

/** The document of `TGEFD_MTLS_POLICY`. `roleNames` are the roles that exist, lower case; null: any. */
export function policyShape(roleNames: readonly string[] | null) {
  const role = z.string().check(z.refine((value) => roleNames?.includes(value.toLowerCase()) ?? true));
  return z.array(ruleShape(role)).check(z.maxLength(1000));
}

/** The rule that a written rule stands for. */
export function ruleOf(rule: z.infer<ReturnType<typeof ruleShape>>): AttributeRule {
  const { subject, san, cn, ou, issuer, thumbprint, scopes, roles } = rule;
  const isPrefix = san?.startsWith('URI:') === true && san.endsWith('/*');
  return {
    subject: subject === undefined ? null : canonicalName(subject),
    subjectAltName: san === undefined || isPrefix ? null : san,
    spiffePrefix: san !== undefined && isPrefix ? san.slice('URI:'.length, -1) : null,
    commonName: cn ?? null,
    organizationalUnit: ou ?? null,
    issuer: issuer === undefined ? null : canonicalName(issuer),
    thumbprint: thumbprint === undefined ? null : thumbprintIn(thumbprint),
    scopes: scopes === undefined ? null : [scopes].flat(),
    roles: roles === undefined ? null : [roles].flat(),
  };
}

/** A SHA-256 thumbprint as base64url (RFC 8705 §3.1), from that or from hexadecimal digits with or without colons. */
export function thumbprintIn(value: string): string | null {
  const digits = value.replaceAll(':', '');
  if (/^[0-9A-Fa-f]{64}$/.test(digits))
    return encodeBase64url(
      Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16)),
    );
  return decodeBase64url(value)?.length === 32 ? value : null;
}
