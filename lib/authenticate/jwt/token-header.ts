import { type JsonObject, member } from '../../codec/strict-json.ts';
import type { CredentialReason } from '../../decision/reason.ts';

/** What a token's header must say. */
export interface HeaderRules {
  /** `alg` values accepted, as written (RFC 7515 §4.1.1: case-sensitive). */
  readonly algorithms: ReadonlySet<string>;
  /** `typ` values accepted, each as `mediaType` writes it. */
  readonly types: ReadonlySet<string>;
  readonly typeMayBeAbsent: boolean;
}

export interface TokenHeader {
  readonly algorithm: string;
  readonly keyId: string | null;
}

/** A `typ` value in the one form in which it compares: lower case, `application/` spelled out (RFC 7515 §4.1.9). */
export function mediaType(typ: string): string {
  const type = typ.toLowerCase();
  return type.includes('/') ? type : `application/${type}`;
}

/**
 * Parameters that no token may have: `crit`, since we understand no extension (RFC 7515 §4.1.11); `b64`, which is not for JWTs
 * (RFC 7797 §7); `enc` and `zip`, by which another parser takes the token for a JWE (RFC 7516 §9).
 */
const REFUSED = ['crit', 'b64', 'enc', 'zip'] as const;

/**
 * Checks a header in this order: `alg` in the list; none of the parameters that no token may have; `typ` in the list (RFC 8725 §3.11); `kid` a string. Keys and links to keys in
 * a header (`jwk`, `jku`, `x5u`, `x5c`) are never read (RFC 8725 §3.10). Does not know whether the header was signed.
 */
export function checkHeader(header: JsonObject, rules: HeaderRules): TokenHeader | CredentialReason {
  const algorithm = member(header, 'alg');
  if (typeof algorithm !== 'string' || !rules.algorithms.has(algorithm)) return { reason: 'token_algorithm_refused' };
  for (const parameter of REFUSED)
    if (Object.hasOwn(header, parameter)) return { reason: 'token_header_refused', parameter };
  const type = member(header, 'typ');
  if (type === undefined ? !rules.typeMayBeAbsent : typeof type !== 'string' || !rules.types.has(mediaType(type)))
    return { reason: 'token_header_refused', parameter: 'typ' };
  const keyId = member(header, 'kid');
  if (keyId !== undefined && typeof keyId !== 'string') return { reason: 'token_header_refused', parameter: 'kid' };
  return { algorithm, keyId: keyId ?? null };
}
