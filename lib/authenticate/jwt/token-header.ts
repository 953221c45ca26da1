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
 * Checks a header in the contract's order: `alg` in the list; no `crit` (RFC 7515 §4.1.11: we understand no extension) and
 * no `b64` (RFC 7797 §7: not for JWTs); `typ` in the list (RFC 8725 §3.11); `kid` a string. Keys and links to keys in
 * a header (`jwk`, `jku`, `x5u`, `x5c`) are never read (RFC 8725 §3.10). Does not know whether the header was signed.
 */
export function checkHeader(header: JsonObject, rules: HeaderRules): TokenHeader | CredentialReason {
  const algorithm = member(header, 'alg');
  if (typeof algorithm !== 'string' || !rules.algorithms.has(algorithm)) return { reason: 'token_algorithm_refused' };
  if (Object.hasOwn(header, 'crit')) return { reason: 'token_header_refused', parameter: 'crit' };
  if (Object.hasOwn(header, 'b64')) return { reason: 'token_header_refused', parameter: 'b64' };
  const type = member(header, 'typ');
  if (type === undefined ? !rules.typeMayBeAbsent : typeof type !== 'string' || !rules.types.has(mediaType(type)))
    return { reason: 'token_header_refused', parameter: 'typ' };
  const keyId = member(header, 'kid');
  if (keyId !== undefined && typeof keyId !== 'string') return { reason: 'token_header_refused', parameter: 'kid' };
  return { algorithm, keyId: keyId ?? null };
}
