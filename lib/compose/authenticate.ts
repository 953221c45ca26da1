import { type AuthenticatorSettings, createAuthenticator } from '../authenticate/authenticate.ts';
import type { Authenticator } from '../authenticate/authenticator.ts';
import {
  type CertificateReader,
  certificateHeaders,
  createCertificateReader,
} from '../authenticate/certificate/client-certificate.ts';
import { createKeySets, type ManagedKeySets } from '../authenticate/jwks/key-sets.ts';
import type { TokenAuthenticatorSettings } from '../authenticate/jwt/token-authenticator.ts';
import { createGrants } from '../authorize/grants.ts';
import type { Config } from '../config/load.ts';
import type { Secret } from '../config/variable.ts';
import type { Fetch } from '../decision/ports.ts';
import type { Authentication, CredentialUsed } from '../decision/principal.ts';
import type { Runtime } from './runtime.ts';

const maximumRememberedTokens = 10_000;

/** The values of a secret that count, the current one first. */
export function acceptedValues<T>(secret: Secret<T> | null): T[] {
  return secret === null ? [] : secret.previous === null ? [secret.current] : [secret.current, secret.previous];
}

/** The issuer's keys, or null where no token is verified by them. */
export function composeKeySets(
  { settings, ways, algorithms }: Config,
  runtime: Runtime,
  egress: Fetch,
): ManagedKeySets | null {
  const { clock, log } = runtime;
  return ways.includes('jwt') && settings.jwksUrl
    ? createKeySets(
        {
          issuer: settings.jwtIssuer,
          url: settings.jwksUrl.href,
          algorithms,
          ttlSeconds: settings.jwksTtlSeconds,
          maxStaleSeconds: settings.jwksMaxStaleSeconds,
          timeoutSeconds: settings.jwksTimeoutSeconds,
          maxAttempts: settings.jwksMaxAttempts,
          backoffSeconds: settings.jwksBackoffSeconds,
          maxBackoffSeconds: settings.jwksMaxBackoffSeconds,
        },
        {
          fetch: egress,
          clock,
          log,
          random: runtime.random,
          sleep: runtime.sleep,
          sharePromises: runtime.sharePromises,
          ...(runtime.sharedKeySet ? { shared: runtime.sharedKeySet } : {}),
        },
      )
    : null;
}

/** Step 3 of the decision, with the reader of certificates that it shares with the probe. */
export function composeAuthenticator(
  config: Config,
  runtime: Runtime,
  keySets: ManagedKeySets | null,
  used: CredentialUsed,
): { readonly authenticate: Authenticator; readonly readCertificate: CertificateReader } {
  const { settings } = config;
  const { clock } = runtime;
  const readCertificate = createCertificateReader(
    {
      headers: certificateHeaders.filter((source) => settings.mtlsSources.includes(source)),
      subjectHeader: settings.mtlsIdentityHeader,
      scopesHeader: settings.mtlsScopesHeader,
      roleHeader: settings.mtlsRoleHeader,
    },
    { clock },
  );
  const authenticate = createAuthenticator(authenticatorSettings(config), {
    clock,
    keySets,
    secrets: sharedSecrets(config),
    signaturePrimitive: runtime.cryptography?.verify,
    used,
    readCertificate,
    grants: createGrants({
      scopesClaim: settings.jwtScopesClaim,
      roleClaim: settings.roleClaim,
      rolesClaim: settings.rolesClaim,
      roleScopes: {
        admin: settings.roleAdminScopes,
        analyst: settings.roleAnalystScopes,
        reader: settings.roleReaderScopes,
      },
      revokeScope: settings.scopeRevoke,
    }),
  });
  const byOurSecret = settings.jwtSecret !== null && keySets === null;
  return { authenticate: byOurSecret ? countingSecrets(authenticate, used) : authenticate, readCertificate };
}

function authenticatorSettings(config: Config): AuthenticatorSettings {
  const { settings, authMode, ways, documents } = config;
  const mtls = {
    policy: settings.mtlsPolicy === null ? null : documents.mtlsPolicy,
    upstreamName: settings.mtlsIdentity,
  };
  if (ways.length > 1) {
    const order = ways.filter((way) => way === 'jwt' || way === 'mtls');
    return { mode: 'several', order, jwt: tokenSettings(config), mtls };
  }
  switch (authMode) {
    case 'none':
      return { mode: 'none' };
    case 'api_key':
      return { mode: 'api_key', keys: documents.apiKeys, scopes: settings.apiKeyScopes };
    case 'mtls':
      return { mode: 'mtls', ...mtls };
    case 'jwt':
      return { mode: 'jwt', ...tokenSettings(config) };
  }
}

/** Whether anything reads claims after authentication: then principals carry them. */
function readsClaims({ documents }: Config): boolean {
  return documents.forwardClaims.length > 0 || documents.endpoints.some(({ claims }) => claims !== undefined);
}

function tokenSettings(config: Config): TokenAuthenticatorSettings {
  const { settings, algorithms } = config;
  return {
    header: settings.jwtHeader,
    prefix: settings.jwtBearerPrefix,
    algorithms,
    types: settings.jwtTypes.filter((type) => type !== 'absent'),
    typeMayBeAbsent: settings.jwtTypes.includes('absent'),
    issuer: settings.jwtIssuer,
    audience: settings.jwtAudience,
    clockSkewSeconds: settings.jwtClockSkewSeconds,
    maximumLifetimeSeconds: settings.jwtMaximumLifetimeSeconds || null,
    subjectClaim: settings.jwtSubClaim,
    keepClaims: readsClaims(config),
    cache: { maximumEntries: maximumRememberedTokens, maximumCharacters: 16 * 1024 * 1024 },
  };
}

/** Key ids under which records name the HS256 secrets. */
const [CURRENT_SECRET, PREVIOUS_SECRET] = ['secret', 'secret-previous'];

function sharedSecrets({ settings }: Config) {
  return acceptedValues(settings.jwtSecret).map((secret, place) => ({
    id: place === 0 ? CURRENT_SECRET : PREVIOUS_SECRET,
    octets: new TextEncoder().encode(secret),
  }));
}

/** Counts which HS256 secret vouched for a caller. */
function countingSecrets(authenticate: Authenticator, used: CredentialUsed): Authenticator {
  const count = (answer: Authentication) => {
    if (answer.outcome === 'authenticated' && answer.principal.method === 'jwt')
      used('jwt_secret', answer.principal.keyId === PREVIOUS_SECRET ? 'previous' : 'current');
    return answer;
  };
  return (...question) => {
    const answer = authenticate(...question);
    return answer instanceof Promise ? answer.then(count) : count(answer);
  };
}
