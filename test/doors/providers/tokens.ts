import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type ProviderName, providerNames } from '../../../lib/authenticate/providers/provider.ts';
import { commonCases, type ProviderCase, providerTokens } from './table.ts';

/** Every provider's keys share this id, so that only the issuer tells them apart. */
const KEY_ID = 'k1';

/** Paths that the service behind the doors answers with 200. */
const paths = { '/scoped': '/v1/metrics', '/open': '/metrics' } as const;

export interface SignedCase {
  readonly title: string;
  readonly token: string;
  readonly target: string;
  readonly status: 200 | 401 | 403;
  readonly user: string;
  readonly issuer: string;
}

/** Keys and tokens of every provider, and the configuration under which a door takes them. */
export interface SignedProviders {
  /** With the keys in the configuration itself. */
  readonly environment: Readonly<Record<string, string>>;
  /** With the member `keys` that `keysOf` gives for a provider. */
  environmentWith(keysOf: (provider: ProviderName) => unknown): Readonly<Record<string, string>>;
  /** The published key set of a provider as JSON. */
  keySetOf(provider: ProviderName): string;
  readonly cases: readonly SignedCase[];
}

/** Makes keys and signs every token of the table. */
export async function signProviderTokens(): Promise<SignedProviders> {
  const keys = new Map(await Promise.all(providerNames.map(async (name) => [name, await keyOf(name)] as const)));
  const cases = await Promise.all(
    providerNames.flatMap((name, index) => {
      const others = [...providerNames.slice(index + 1), ...providerNames.slice(0, index)];
      const foreign =
        others.find((other) => providerTokens[other].algorithm === providerTokens[name].algorithm) ?? name;
      const all: ProviderCase[] = [
        { name: 'an ordinary token', status: 200 },
        ...providerTokens[name].cases,
        ...commonCases(foreign),
      ];
      return all.map((one) => signed(name, one, keys));
    }),
  );
  const keySetOf = (provider: ProviderName) => JSON.stringify({ keys: keys.get(provider)?.published ?? [] });
  const environmentWith = (keysOf: (provider: ProviderName) => unknown) => ({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_ENDPOINTS: JSON.stringify([
      { method: 'GET', path: '/v1/metrics', scope: 'probe', budget: 'none' },
      { method: 'GET', path: '/metrics', scope: null, budget: 'none' },
    ]),
    TGEFD_ISSUERS: JSON.stringify(
      providerNames.map((provider) => ({ provider, ...providerTokens[provider].row, keys: keysOf(provider) })),
    ),
  });
  return {
    environment: environmentWith((provider) => ({ jwks: JSON.parse(keySetOf(provider)) })),
    environmentWith,
    keySetOf,
    cases,
  };
}

interface ProviderKey {
  readonly privateKey: CryptoKey;
  readonly published: readonly JWK[];
}

async function keyOf(name: ProviderName): Promise<ProviderKey> {
  const { algorithm, jwk = {} } = providerTokens[name];
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: KEY_ID, use: 'sig', alg: algorithm, ...jwk };
  const published = [JSON.parse(JSON.stringify(key))];
  // Keycloak publishes a key for encryption in the same set.
  if (name === 'keycloak') published.unshift({ ...published[0], kid: 'enc', use: 'enc', alg: 'RSA-OAEP' });
  return { privateKey, published };
}

async function signed(
  name: ProviderName,
  one: ProviderCase,
  keys: ReadonlyMap<ProviderName, ProviderKey>,
): Promise<SignedCase> {
  const provider = providerTokens[name];
  const nowSeconds = Math.floor(Date.now() / 1000);
  const lifetimeSeconds = one.lifetimeSeconds ?? provider.lifetimeSeconds;
  const iat = lifetimeSeconds < 0 ? nowSeconds - 1000 : nowSeconds - 5;
  const claims = {
    iat,
    exp: (lifetimeSeconds < 0 ? nowSeconds : iat) + lifetimeSeconds,
    ...provider.claims,
    ...one.claims,
  };
  const key = keys.get(one.signedBy ?? name)?.privateKey;
  if (key === undefined) throw new Error(`no key of ${name}`);
  const { row } = provider;
  return {
    title: `${name}: ${one.name}`,
    token: await new SignJWT(JSON.parse(JSON.stringify(claims)))
      .setProtectedHeader({ alg: provider.algorithm, kid: KEY_ID, ...provider.header, ...one.header })
      .sign(key),
    target: paths[one.target ?? provider.target],
    status: one.status,
    user: one.user ?? provider.user,
    issuer: String(Array.isArray(row.issuer) ? row.issuer[0] : row.issuer),
  };
}
