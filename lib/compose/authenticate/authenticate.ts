import { type AuthenticatorSettings, createAuthenticator } from '../../authenticate/authenticate.ts';
import type { Authenticator } from '../../authenticate/authenticator.ts';
import {
  type CertificateReader,
  certificateHeaders,
  createCertificateReader,
} from '../../authenticate/certificate/client-certificate.ts';
import type { TokenAuthenticatorSettings } from '../../authenticate/jwt/token-authenticator.ts';
import { createGrants } from '../../authorize/grants.ts';
import { asksForStepUp } from '../../authorize/step-up.ts';
import type { Config } from '../../config/load.ts';
import type { Secret } from '../../config/variable.ts';
import type { Fetch } from '../../decision/ports.ts';
import type { Authentication, CredentialUsed } from '../../decision/principal.ts';
import type { Runtime } from '../runtime.ts';
import { composeIntrospection } from './introspection.ts';
import { composeIssuers, composeRoleScopes, type IssuerKeySets } from './issuers.ts';
import { composeProofs } from './proofs.ts';

const maximumRememberedTokens = 10_000;

/** The values of a secret that count, the current one first. */
export function acceptedValues<T>(secret: Secret<T> | null): T[] {
  return secret === null ? [] : secret.previous === null ? [secret.current] : [secret.current, secret.previous];
}

/** Step 3 of the decision, with the reader of certificates that it shares with the probe. */
export function composeAuthenticator(
  config: Config,
  runtime: Runtime,
  keySets: IssuerKeySets,
  used: CredentialUsed,
  nonceKeys: readonly string[],
  egress: Fetch,
): { readonly authenticate: Authenticator; readonly readCertificate: CertificateReader } {
  const { settings } = config;
  const { clock } = runtime;
  const readCertificate = createCertificateReader(
    {
      headers: certificateHeaders.filter((source) => settings.mtlsSources.includes(source)),
      subjectHeader: settings.mtlsIdentityHeader,
      scopesHeader: settings.mtlsScopesHeader,
      roleHeader: settings.mtlsRoleHeader,
      forwardedHops: settings.xfccHops,
    },
    { clock, verifyChain: runtime.verifyChain ?? null },
  );
  const asked = { fetch: egress, cacheKey: nonceKeys.at(-1) ?? '' };
  const authenticate = createAuthenticator(authenticatorSettings(config, keySets), {
    clock,
    secrets: sharedSecrets(config),
    signaturePrimitive: runtime.cryptography?.verify,
    used,
    readCertificate,
    introspection: composeIntrospection(config, runtime, composeIssuers(config, keySets), asked),
    proofs: composeProofs(config, runtime, nonceKeys),
    grants: createGrants(composeRoleScopes(config, [config.documents.roleScopes])),
  });
  const byOurSecret = keySets.includes(null);
  return { authenticate: byOurSecret ? countingSecrets(authenticate, used) : authenticate, readCertificate };
}

function authenticatorSettings(config: Config, keySets: IssuerKeySets): AuthenticatorSettings {
  const { settings, authMode, ways, documents } = config;
  const mtls = {
    policy: settings.mtlsPolicy === null ? null : documents.mtlsPolicy,
    upstreamName: settings.mtlsIdentity,
  };
  if (ways.length > 1) {
    const order = ways.filter((way) => way === 'jwt' || way === 'mtls');
    return { mode: 'several', order, jwt: tokenSettings(config, keySets), mtls };
  }
  switch (authMode) {
    case 'none':
      return { mode: 'none' };
    case 'api_key':
      return { mode: 'api_key', keys: documents.apiKeys, scopes: settings.apiKeyScopes };
    case 'mtls':
      return { mode: 'mtls', ...mtls };
    case 'jwt':
      return { mode: 'jwt', ...tokenSettings(config, keySets) };
  }
}

/** Whether anything reads claims after authentication: then principals carry them. */
function readsClaims({ documents, settings }: Config): boolean {
  if (settings.planClaim !== null) return true;
  const rows = [...documents.endpoints, ...(documents.shadowEndpoints ?? [])];
  return documents.forwardClaims.length > 0 || asksForStepUp(rows) || rows.some(({ claims }) => claims !== undefined);
}

function tokenSettings(config: Config, keySets: IssuerKeySets): TokenAuthenticatorSettings {
  const { settings } = config;
  return {
    header: settings.jwtHeader,
    prefix: settings.jwtBearerPrefix,
    maximumBytes: settings.jwtMaximumBytes,
    issuers: composeIssuers(config, keySets),
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
