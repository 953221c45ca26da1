import { isJsonObject, type JsonValue } from '../../codec/strict-json.ts';

/** Members whose value is a secret wherever they stand. */
const secretMember = /^(client_secret|secret|password|passphrase|private_key|token|api_key|access_key)$/i;
/** A reference to a secret store, or the name of a variable that holds the secret. */
const reference = /^(vault|aws-sm|cf):\S+$|^[A-Z][A-Z0-9_]{2,127}$/;
const pem = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const jwt = /^eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*$/;
/** Private members of a JWK (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * Finds secrets in a document that people review: private keys, tokens, and members that hold a secret by their name. A
 * reference to a store, and the name of a variable, are no secrets.
 *
 * @param value - the document.
 * @returns where they stand, as JSON Pointers (RFC 6901) and what they look like. Never a value.
 */
export function secretsInside(value: JsonValue, at = ''): readonly { readonly at: string; readonly what: string }[] {
  if (typeof value === 'string') {
    if (pem.test(value)) return [{ at, what: 'a private key in PEM' }];
    return jwt.test(value) ? [{ at, what: 'a token' }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (!isJsonObject(value)) return value.flatMap((entry, index) => secretsInside(entry, `${at}/${index}`));
  if (typeof value.kty === 'string' && privateMembers.some((name) => Object.hasOwn(value, name)))
    return [{ at, what: 'a private or symmetric JWK' }];
  return Object.entries(value).flatMap(([name, inner]) => {
    const place = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (secretMember.test(name) && typeof inner === 'string' && !reference.test(inner))
      return [{ at: place, what: 'a secret' }];
    return secretsInside(inner, place);
  });
}
