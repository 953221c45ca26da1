import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Context, Provider, type ResourceServer, type TokenParts } from 'oidc-provider';
import { answerFaultily, type KeySetFault } from './key-set-faults.ts';
import { listenOnLoopback } from './loopback-server.ts';

export const ISSUER_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type IssuerAlgorithm = (typeof ISSUER_ALGORITHMS)[number];

/** What a client asks for, and what this issuer is told to put into the token it signs. */
export interface TokenRequest {
  readonly subject?: string;
  /** Scopes separated by spaces (default: every one of the product); an empty string: no scope claim. */
  readonly scope?: string;
  readonly audience?: string;
  readonly lifetimeSeconds?: number;
  readonly algorithm?: IssuerAlgorithm;
  /** Claims to set as they are (`roles`, `exp`, …); null leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface Issuer {
  /** What `TGEFD_JWT_ISSUER`, `TGEFD_JWKS_URL` and `TGEFD_JWT_AUDIENCE` take. */
  readonly url: string;
  readonly keySetUrl: string;
  readonly audience: string;
  /** Private keys that sign now, one per algorithm; for tests that forge with a true key. */
  readonly signingKeys: readonly JWK[];
  /** Requests for the key set that arrived, answered or not, since `resetCounts`. */
  readonly counts: { keySetRequests: number };
  resetCounts(): void;
  /** A client-credentials token by the issuer's own token endpoint; works under every fault. Throws when refused. */
  token(request?: TokenRequest): Promise<string>;
  /** Signs with new keys from now on; the old public keys stay published or are gone at once. */
  rotate(options: { readonly keepOld: boolean }): Promise<void>;
  /** What goes wrong with the key set from now on; null: nothing. */
  setFault(fault: KeySetFault | null): Promise<void>;
  stop(): Promise<void>;
}

/** What makes a door take the tokens of this issuer, on a machine where nothing has TLS. */
export function jwtEnvironment({ url, keySetUrl, audience }: Issuer): Record<string, string> {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWKS_URL: keySetUrl,
    TGEFD_JWT_ISSUER: url,
    TGEFD_JWT_AUDIENCE: audience,
  };
}

const AUDIENCE = 'urn:tgefd:api';
export const CLIENT = { id: 'demo-client', secret: 'demo-client-secret' };
const SCOPES = 'discover evaluate jobs metrics revoke';
/** Request header by which our own client tells the issuer what to sign. */
const WISHES = 'x-token-wishes';

/**
 * Starts a real OAuth issuer (oidc-provider; client credentials, RFC 9068 tokens, a key per algorithm) on a free
 * loopback port, or on `port`.
 */
export async function startIssuer(port = 0): Promise<Issuer> {
  const counts = { keySetRequests: 0 };
  let fault: KeySetFault | null = null;
  let keys = await createKeys(1);
  let generation = 1;
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};

  const front = await listenOnLoopback(
    createServer((request, response) => {
      const forKeys = request.url === '/jwks';
      if (forKeys) counts.keySetRequests += 1;
      if (forKeys && fault !== null) answerFaultily(fault, response, () => answer(request, response));
      else answer(request, response);
    }),
    port,
  );
  // Tokens are asked for at a desk of their own, which no fault touches.
  const desk = await listenOnLoopback(createServer((request, response) => answer(request, response)));
  const url = `http://127.0.0.1:${front.port}`;
  answer = createProvider(url, keys, []).callback();

  return {
    url,
    keySetUrl: `${url}/jwks`,
    audience: AUDIENCE,
    get signingKeys() {
      return keys;
    },
    counts,
    resetCounts() {
      counts.keySetRequests = 0;
    },
    async token(request = {}) {
      const response = await fetch(`http://127.0.0.1:${desk.port}/token`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}`,
          'content-type': 'application/x-www-form-urlencoded',
          [WISHES]: encodeURIComponent(JSON.stringify({ scope: SCOPES, ...request })),
        },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE }),
      });
      const body: unknown = await response.json();
      if (!hasAccessToken(body)) throw new Error(`the issuer refused: ${JSON.stringify(body)}`);
      return body.access_token;
    },
    async rotate({ keepOld }) {
      const old = keepOld ? keys : [];
      generation += 1;
      keys = await createKeys(generation);
      answer = createProvider(url, keys, old).callback();
    },
    async setFault(next) {
      fault = next;
      await (next?.kind === 'down' ? front.down() : front.up());
    },
    async stop() {
      await Promise.all([front.down(), desk.down()]);
    },
  };
}

function createProvider(url: string, keys: readonly JWK[], published: readonly JWK[]): Provider {
  return new Provider(url, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: SCOPES.split(' '),
    jwks: { keys: [...keys, ...published] },
    // Signed tokens need no memory, and the issuer keeps nothing else.
    adapter: () => ({ upsert: async () => {}, find: async () => undefined, destroy: async () => {} }),
    ttl: {
      ClientCredentials: (_context: Context, token: { resourceServer: ResourceServer }) =>
        token.resourceServer.accessTokenTTL,
    },
    cookies: { keys: ['no cookie is ever set'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: (context: Context): ResourceServer => {
          const wishes = wishesOf(context);
          const algorithm = wishes.algorithm ?? 'RS256';
          const key = keys.find((one) => one.alg === algorithm);
          if (key?.kid === undefined) throw new Error(`no key for ${algorithm}`);
          return {
            scope: SCOPES,
            audience: wishes.audience ?? AUDIENCE,
            accessTokenTTL: wishes.lifetimeSeconds ?? 300,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: algorithm, kid: key.kid } },
          };
        },
      },
    },
    formats: {
      customizers: {
        jwt: (context: Context, _token: unknown, parts: TokenParts) => {
          const { subject, scope, claims = {} } = wishesOf(context);
          const wished = {
            ...(subject === undefined ? {} : { sub: subject }),
            ...(scope === undefined ? {} : { scope: scope || null }),
            ...claims,
          };
          parts.payload = Object.fromEntries(
            Object.entries({ ...parts.payload, ...wished }).filter(([, value]) => value !== null),
          );
        },
      },
    },
  });
}

function wishesOf(context: Context): TokenRequest {
  return JSON.parse(decodeURIComponent(context.get(WISHES)) || '{}');
}

async function createKeys(generation: number): Promise<JWK[]> {
  return await Promise.all(
    ISSUER_ALGORITHMS.map(async (algorithm) => {
      const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
      return {
        ...(await exportJWK(privateKey)),
        kid: `${algorithm.toLowerCase()}-${generation}`,
        alg: algorithm,
        use: 'sig',
      };
    }),
  );
}

function hasAccessToken(body: unknown): body is { access_token: string } {
  return typeof body === 'object' && body !== null && 'access_token' in body && typeof body.access_token === 'string';
}
