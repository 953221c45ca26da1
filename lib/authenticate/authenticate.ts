import type { AuthMethod, CredentialUsed, Principal } from '../decision/principal.ts';
import type { CredentialWay } from '../decision/request.ts';
import { type ApiKey, createCheckApiKey } from './api-key.ts';
import { type Authenticator, authenticated, ownThumbprint, refused } from './authenticator.ts';
import {
  type CertificateAuthenticatorParts,
  type CertificateAuthenticatorSettings,
  createCertificateAuthenticator,
} from './certificate/certificate-authenticator.ts';
import { findApiKey } from './credentials.ts';
import {
  createTokenAuthenticator,
  type TokenAuthenticatorParts,
  type TokenAuthenticatorSettings,
} from './jwt/token-authenticator.ts';
import { createSeveralWays } from './several-ways.ts';

/** How callers prove who they are (`TGEFD_AUTH_MODE`), with what that mode needs. */
export type AuthenticatorSettings =
  | ({ readonly mode: 'jwt' } & TokenAuthenticatorSettings)
  | ({ readonly mode: 'mtls' } & CertificateAuthenticatorSettings)
  | {
      readonly mode: 'several';
      /** In the order of `TGEFD_AUTH_MODE`. */
      readonly order: readonly CredentialWay[];
      readonly jwt: TokenAuthenticatorSettings;
      readonly mtls: CertificateAuthenticatorSettings;
    }
  | { readonly mode: 'api_key'; readonly keys: readonly ApiKey[]; readonly scopes: readonly string[] }
  | { readonly mode: 'none' };

export type AuthenticatorParts = TokenAuthenticatorParts &
  CertificateAuthenticatorParts & { readonly used?: CredentialUsed };

/**
 * Makes step 3 of a decision for the configured mode; a credential of another mode counts for nothing. By token and by
 * certificate the credential's own subject names the caller, whatever the ingress says; by API key and without
 * authentication the identity that a trusted ingress gives does, if there is one, else the key's id or nobody (empty).
 * Without authentication everybody holds `*`, which revokes nothing.
 */
export function createAuthenticator(settings: AuthenticatorSettings, parts: AuthenticatorParts): Authenticator {
  switch (settings.mode) {
    case 'jwt':
      return createTokenAuthenticator(settings, parts);
    case 'mtls':
      return createCertificateAuthenticator(settings, parts);
    case 'several': {
      const authenticators = {
        jwt: createTokenAuthenticator(settings.jwt, parts),
        mtls: createCertificateAuthenticator(settings.mtls, parts),
      };
      return createSeveralWays(settings.order.map((way) => ({ way, authenticate: authenticators[way] })));
    }
    case 'api_key':
      return createKeyAuthenticator(settings.keys, settings.scopes, parts.used);
    case 'none':
      return (request, boundary, { explain }) => {
        explain?.('credential', 'none is asked for');
        return authenticated(
          unprovenPrincipal('none', boundary.ingressIdentity ?? '', null, everyScope, ownThumbprint(request, boundary)),
        );
      };
  }
}

const everyScope: readonly string[] = ['*'];

function createKeyAuthenticator(
  keys: readonly ApiKey[],
  scopes: readonly string[],
  used: CredentialUsed | undefined,
): Authenticator {
  const check = createCheckApiKey(keys);
  return async (request, boundary, { explain }) => {
    const presented = findApiKey(request.headers);
    if (typeof presented !== 'string') return refused(explain, 'credential', presented);
    const key = await check(presented);
    if (key === null) return refused(explain, 'key', { reason: 'api_key_unknown' });
    const { id, slot } = key;
    used?.('api_key', slot);
    explain?.('key', 'found', { key_id: id });
    return authenticated(
      unprovenPrincipal('api_key', boundary.ingressIdentity ?? id, id, scopes, ownThumbprint(request, boundary)),
    );
  };
}

/** A caller whom no signed credential names. */
function unprovenPrincipal(
  method: Extract<AuthMethod, 'api_key' | 'none'>,
  subject: string,
  keyId: string | null,
  scopes: readonly string[],
  thumbprint: string | null,
): Principal {
  return {
    method,
    subject,
    identity: subject,
    issuer: null,
    claims: null,
    scopes,
    roles: [],
    keyId,
    tokenId: null,
    issuedAtSeconds: null,
    expiresAtSeconds: null,
    thumbprint,
  };
}
