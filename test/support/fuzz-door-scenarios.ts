import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Program } from './debian.ts';
import type { DoorScenario } from './fuzz-doors.ts';
import { listenOnLoopback } from './loopback-server.ts';
import { startRedis } from './redis.ts';
import { startUpstream } from './upstream.ts';

const AUDIENCE = 'urn:fuzz';
/** As many as a configuration takes. After a failure an issuer is left alone for a while. */
const ISSUERS = 50;
const issuerOf = (turn: number) => `https://issuer-${turn % ISSUERS}.example`;

const isStatus = (status: number) => status === 0 || (status >= 200 && status <= 599);
const BASE = { TGEFD_ENV: 'development', TGEFD_IDLE_TIMEOUT_SEC: '1' };

/** Upstream, Redis and issuers of a whole process, honest in the beginning. */
export async function startDoorScenarios(redis: Program) {
  const upstream = await startUpstream();
  const upstreamPort = Number(new URL(upstream.url).port);
  const database = await startRedis(redis);
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }] });
  const issuer = await listenOnLoopback(
    createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(keySet);
    }),
  );
  const tokens = await Promise.all(
    Array.from({ length: ISSUERS }, (_, turn) =>
      new SignJWT({ scope: 'discover evaluate jobs metrics' })
        .setProtectedHeader({ alg: 'RS256', kid: 'k', typ: 'at+jwt' })
        .setIssuer(issuerOf(turn))
        .setAudience(AUDIENCE)
        .setSubject('alice')
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    ),
  );

  const scenarios: readonly DoorScenario[] = [
    {
      name: 'upstream',
      honestPort: upstreamPort,
      env: (url) => ({ ...BASE, TGEFD_UPSTREAM_URL: url, TGEFD_UPSTREAM_TIMEOUT_SEC: '0.4' }),
      fields: () => [],
      stated: isStatus,
      failures: new Set([502, 504]),
      withinMs: 1_500,
    },
    {
      name: 'Redis REST',
      honestPort: Number(new URL(database.url).port),
      env: (url) => ({
        ...BASE,
        TGEFD_UPSTREAM_URL: upstream.url,
        TGEFD_REDIS_URL: url,
        TGEFD_REDIS_TOKEN: database.token,
        TGEFD_AUDIT_MODE: 'strict',
        TGEFD_AUDIT_TIMEOUT_MS: '300',
      }),
      fields: () => [],
      stated: (status) => status === 200 || status === 429 || status === 503,
      failures: new Set([503]),
      withinMs: 1_500,
    },
    {
      name: 'key set',
      honestPort: issuer.port,
      env: (url) => ({
        ...BASE,
        TGEFD_UPSTREAM_URL: upstream.url,
        TGEFD_AUTH_MODE: 'jwt',
        TGEFD_JWKS_TIMEOUT_SEC: '0.2',
        TGEFD_JWKS_TTL_SEC: '1',
        TGEFD_JWKS_MAX_STALE_SEC: '0',
        TGEFD_JWKS_MAX_ATTEMPTS: '10',
        TGEFD_JWKS_BACKOFF_SEC: '0.01',
        TGEFD_JWKS_MAX_BACKOFF_SEC: '0.02',
        TGEFD_ISSUERS: JSON.stringify(
          Array.from({ length: ISSUERS }, (_, turn) => ({
            issuer: issuerOf(turn),
            audience: AUDIENCE,
            keys: `${url}/${turn}`,
          })),
        ),
      }),
      fields: (turn) => [`Authorization: Bearer ${tokens[turn % ISSUERS]}`],
      stated: (status) => status === 503,
      failures: new Set([503]),
      withinMs: 3_500,
      rememberedMs: 1_200,
    },
  ];
  return {
    scenarios,
    stop: () => Promise.all([upstream.stop(), database.stop(), issuer.down()]),
  };
}
