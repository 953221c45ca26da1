import type { CredentialReason } from '../decision/reason.ts';
import type { HeaderFields } from '../decision/request.ts';

/** Longest credential that is looked at, in characters; a token may be longer where the configuration says so. */
export const maximumCredentialBytes = 8192;

/** The header field in which API keys are sent. */
const apiKeyHeader = 'x-api-key';

export interface TokenFieldSettings {
  /** Field that carries the token (`TGEFD_JWT_HEADER`). */
  readonly header: string;
  /** Authentication scheme before the token, in any letter case; empty: the field is the token alone. */
  readonly prefix: string;
  /** Longest token that is looked at, in characters. */
  readonly maximumBytes: number;
  /** Whether the scheme `DPoP` (RFC 9449 §7.1) counts beside it. */
  readonly proofs?: boolean;
}

/** A token that was sent with the scheme `DPoP`. */
export interface ProofToken {
  readonly token: string;
}

/** Gives the one access token of a request as it was sent, unread, or why there is none. */
export type FindToken = (headers: HeaderFields) => string | ProofToken | CredentialReason;

const proofScheme = 'dpop';
/** A scheme and then the JWS JSON serialisation (RFC 7515 §7.2), which has commas of its own. */
const IN_JSON = /^\S+ +\{/;

const missing: CredentialReason = { reason: 'credentials_missing' };
const duplicated: CredentialReason = { reason: 'credentials_duplicated' };
const oversized: CredentialReason = { reason: 'credentials_oversized' };

/**
 * Makes the search for exactly one token in the configured field (RFC 6750 §2.1, RFC 9110 §11.4: the scheme in any letter
 * case, at least one space). An absent field, another scheme and an empty token are `credentials_missing` (RFC 6750
 * §3.1: no error code); more than `maximumBytes` is `credentials_oversized`; a repeated field, which arrives joined by commas, is
 * `credentials_duplicated`. Never looks into the query or the body (RFC 9700 §4.3.2). Does not look at the token itself.
 */
export function createFindToken(settings: TokenFieldSettings): FindToken {
  const { header } = settings;
  const scheme = settings.prefix.trim().toLowerCase();
  const maximum = settings.maximumBytes + scheme.length + 1;
  const proofs = settings.proofs === true && scheme !== '';
  const again = (field: string) =>
    field.split(',').some((part, at) => {
      // One JWS in JSON is one credential, though none that is taken.
      if (at === 0 && IN_JSON.test(field)) return false;
      const credentials = part.trimStart();
      return hasScheme(credentials, scheme) || (proofs && hasScheme(credentials, proofScheme));
    });

  return (headers) => {
    const field = headers.get(header);
    if (field === null || field === '') return missing;
    if (field.length > maximum) return oversized;
    const several = field.includes(',');
    if (scheme === '') return several ? duplicated : field;
    // A token has no comma in it; the parameters of another scheme may have.
    if (several && again(field)) return duplicated;
    if (hasScheme(field, scheme)) return tokenAfter(field, scheme) ?? missing;
    const token = proofs && hasScheme(field, proofScheme) ? tokenAfter(field, proofScheme) : null;
    return token === null ? missing : { token };
  };
}

function tokenAfter(field: string, scheme: string): string | null {
  let start = scheme.length;
  while (field.charCodeAt(start) === 0x20) start++;
  return start === field.length ? null : field.slice(start);
}

/** Whether credentials begin with a scheme, given in lower case, and then end or go on after a space. */
function hasScheme(credentials: string, scheme: string): boolean {
  return (
    (credentials.length === scheme.length || credentials.charCodeAt(scheme.length) === 0x20) &&
    credentials.slice(0, scheme.length).toLowerCase() === scheme
  );
}

/** The one API key of a request, from `x-api-key` and nowhere else; the same refusals as for a token. */
export function findApiKey(headers: HeaderFields): string | CredentialReason {
  const field = headers.get(apiKeyHeader);
  if (field === null || field === '') return missing;
  if (field.length > maximumCredentialBytes) return oversized;
  return field.includes(',') ? duplicated : field;
}
