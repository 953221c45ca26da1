import { SignJWT } from 'jose';
import type { Clock, NewId } from '../decision/ports.ts';
import { type AssertionKey, type LoadedAssertionKey, loadAssertionKey } from './assertion-key.ts';

/** Longest life of a token that is exchanged for cloud credentials. */
export const WEB_IDENTITY_LIFETIME_SECONDS = 300;

/** Who we are to a cloud: trust conditions name this subject and the audience. */
export const WEB_IDENTITY_SUBJECT = 'tgefd-authorizer';

export interface WebIdentitySettings {
  /** Our own issuer identifier: an https URL without trailing slash, below which the discovery document is served. */
  readonly issuer: string;
  /** The key that signs assertions, which clouds verify by the same key set. */
  readonly key: AssertionKey;
}

/** The discovery document (OpenID Connect Discovery 1.0 §3), as far as a cloud that verifies our tokens reads it. */
export function discoveryDocument({ issuer, key }: WebIdentitySettings): Readonly<Record<string, unknown>> {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [key.algorithm],
    claims_supported: ['iss', 'sub', 'aud', 'iat', 'exp', 'jti'],
  };
}

/**
 * Makes tokens that say who this deployment is, for one audience and five minutes (RFC 7519). `typ` is `JWT`, since clouds accept no other;
 * audience and subject keep it apart from an assertion, whose audience is the upstream. Rejects where the key cannot be used.
 */
export function createWebIdentityTokens(
  { issuer, key }: WebIdentitySettings,
  parts: { readonly clock: Clock; readonly newId: NewId },
): (audience: string) => Promise<string> {
  let loaded: LoadedAssertionKey | null = null;
  return async (audience) => {
    loaded ??= await loadAssertionKey(key);
    if (loaded === null) throw new Error('the private and public members of an assertion key do not belong together');
    const atSeconds = Math.floor(parts.clock() / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: loaded.algorithm, kid: loaded.kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setSubject(WEB_IDENTITY_SUBJECT)
      .setAudience(audience)
      .setIssuedAt(atSeconds)
      .setExpirationTime(atSeconds + WEB_IDENTITY_LIFETIME_SECONDS)
      .setJti(parts.newId())
      .sign(loaded.privateKey);
  };
}
