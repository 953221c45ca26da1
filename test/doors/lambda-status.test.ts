import { importJWK, jwtVerify, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { assertionField } from '../../infra/aws/gateway-responses.ts';
import { tgefdEndpoints, tgefdScopes } from '../../lib/presets/tgefd.ts';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { type ApiName, apis, runtimeName, type StartedApi, startApi } from './lambda-apis.ts';

const SECRET = 'a secret of the tests, 32 bytes or more';
const names = Object.keys(apis) as ApiName[];
const redis = await redisProgram();
const openssl = await opensslProgram();

function token(subject: string, scope: string) {
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(subject)
    .setJti(`token-of-${subject}`)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
}

const withSecret = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWT_SECRET: SECRET,
  TGEFD_RBAC_ENABLED: 'true',
};

let api: StartedApi;
afterEach(() => api?.stop());
async function ask(target: string, bearer: string, method = 'GET') {
  return api.send({ method, target, headers: [['Authorization', `Bearer ${bearer}`]] });
}
function records() {
  return api.lambda.lines.filter((line) => line.includes('"type":"audit"')).map((line) => JSON.parse(line));
}

const ASSERTION_KEY =
  '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}';

test.each(names)(
  `%s: an allowed request carries a signed assertion for this one request, on ${runtimeName}`,
  async (name) => {
    const requestFields = { ...apis[name].requestFields, ...assertionField };
    api = await startApi(
      { ...apis[name], requestFields },
      { ...withSecret, TGEFD_ASSERTION_KEY: ASSERTION_KEY, TGEFD_UPSTREAM_URL: 'https://api.internal' },
    );
    expect((await ask('/v1/jobs/7', await token('alice', 'jobs'))).status).toBe(200);
    const assertion = api.forwarded[0]?.fields['x-tgefd-assertion'] ?? '';
    const { kty, crv, x } = JSON.parse(ASSERTION_KEY);
    const { payload } = await jwtVerify(assertion, await importJWK({ kty, crv, x }, 'EdDSA'), {
      typ: 'tgefd-assertion+jwt',
      audience: 'https://api.internal',
      issuer: 'tgefd-authorizer',
    });
    expect(payload).toMatchObject({ sub: 'alice', scope: 'jobs', htm: 'GET', htu: 'https://api.internal/v1/jobs/7' });
    await expect.poll(() => records().at(-1)?.id, { timeout: 5000 }).toBe(payload.jti);
  },
);

describe.each(names)(`an empty budget, %s, on ${runtimeName}`, (name) => {
  test('is a 403 that keeps its code and Retry-After where the API can say them, and a 429 in the record', async () => {
    api = await startApi(apis[name], { ...withSecret, TGEFD_RATE_LIMIT_PER_MINUTE: '2' });
    const bearer = await token('alice', 'metrics');
    expect((await ask('/v1/metrics', bearer)).status).toBe(200);
    expect((await ask('/v1/metrics', bearer)).status).toBe(200);
    const answer = await ask('/v1/metrics', bearer);
    expect(answer.status).toBe(403);
    await expect
      .poll(() => records().at(-1), { timeout: 5000 })
      .toMatchObject({ status: 429, code: 'rate_limited', reason: 'budget_exhausted' });
    if (!name.startsWith('REST')) return;
    expect(JSON.parse(answer.body)).toMatchObject({ status: 403, code: 'rate_limited', detail: 'too many requests' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.headers.get('ratelimit')).toMatch(/^"general";r=0;t=\d+$/);
    expect(answer.headers.get('ratelimit-policy')).toBe('"general";q=2;w=60');
  });
});

describe.each(names.filter((name) => name !== 'REST TOKEN'))(
  `a body that is declared too large, %s, on ${runtimeName}`,
  (name) => {
    const limit = { ...withSecret, TGEFD_MAX_BODY_BYTES: '10' };
    const upload = async () =>
      api.send({
        method: 'POST',
        target: '/v1/discover',
        headers: [
          ['Authorization', `Bearer ${await token('alice', 'discover')}`],
          ['Content-Length', '11'],
        ],
      });

    test('is refused although the caller may use the route', async () => {
      api = await startApi(apis[name], limit);
      const answer = await upload();
      expect(answer.status).toBe(403);
      await expect
        .poll(() => records().at(-1), { timeout: 5000 })
        .toMatchObject({ status: 413, code: 'body_too_large' });
      if (name.startsWith('REST')) expect(JSON.parse(answer.body)).toMatchObject({ code: 'body_too_large' });
    });

    test('and does not shut the route where answers are kept', async () => {
      const identitySources = name.startsWith('REST')
        ? ['method.request.header.Authorization']
        : ['$request.header.Authorization', '$context.routeKey'];
      api = await startApi(
        { ...apis[name], ttlSeconds: 300, identitySources },
        { ...limit, TGEFD_AUTHORIZER_TTL_SEC: '300' },
      );
      expect((await upload()).status).toBe(401);
      expect((await ask('/v1/discover', await token('alice', 'discover'), 'POST')).status).toBe(200);
    });
  },
);

describe.each(names)(`our own outage, %s, on ${runtimeName}`, (name) => {
  const unavailable = name.startsWith('REST') ? 503 : 500;
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer?.stop());

  test('of the issuer is never the fault of the caller, and ends with it', async () => {
    await issuer.setFault({ kind: 'down' });
    api = await startApi(apis[name], {
      ...jwtEnvironment(issuer),
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_JWKS_BACKOFF_SEC: '0.01',
      TGEFD_JWKS_MAX_ATTEMPTS: '1',
    });
    const bearer = await issuer.token();
    const answer = await ask('/v1/metrics', bearer);
    expect(answer.status).toBe(unavailable);
    await expect
      .poll(() => records().at(-1), { timeout: 5000 })
      .toMatchObject({ status: 503, code: 'keys_unavailable' });
    if (!name.startsWith('REST')) return;
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: 'internal_error' });
  });
});

describe.each(names)(
  `routes of the endpoint table on a custom domain with a base path, %s, on ${runtimeName}`,
  (name) => {
    const routes = tgefdEndpoints(tgefdScopes)
      .filter(({ own }) => !own)
      .map(({ method, pattern }) => ({ method, path: pattern }));

    test('what is no route never reaches the authorizer, and what is one is decided by the path of the API', async () => {
      const domain = { name: 'api.example.org', basePath: 'shop/eu' };
      api = await startApi({ ...apis[name], routes, domain }, withSecret);
      const bearer = await token('alice', 'metrics jobs');
      expect((await ask('/v1/metrics', bearer)).status).toBe(200);
      expect((await ask('/v1/jobs/a%20b', bearer)).status).toBe(200);
      expect((await ask('/v1/discover', bearer, 'POST')).status).toBe(403);
      const decided = api.events.length;
      const unknown = await ask('/v1/secret', bearer);
      expect(unknown.status).toBe(404);
      if (name.startsWith('REST')) expect(JSON.parse(unknown.body)).toMatchObject({ code: 'endpoint_unknown' });
      expect((await ask('/v1/jobs/1', bearer, 'DELETE')).status).toBe(404);
      expect((await ask('/_authorizer/revocations', bearer, 'POST')).status).toBe(404);
      expect(api.events).toHaveLength(decided);
    });
  },
);

describeWith([redis], `with Redis, on ${runtimeName}`, () => {
  let parts: RedisParts;
  beforeAll(async () => {
    parts = await startRedis(redis);
  });
  afterAll(() => parts?.stop());
  afterEach(() => parts.setFault(null));
  const environment = () => ({
    ...withSecret,
    TGEFD_REDIS_URL: parts.url,
    TGEFD_REDIS_TOKEN: parts.token,
    TGEFD_AUDIT_MODE: 'strict',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'a key of the tests, 32 bytes or more',
  });

  test('every record is durable before the answer leaves', async () => {
    api = await startApi(apis['REST REQUEST'], environment());
    const before = await parts.client.xlen('tgefd:v1:audit');
    const bearer = await token('alice', 'metrics');
    for (const target of ['/v1/metrics', '/v1/discover', '/nowhere']) await ask(target, bearer);
    await ask('/v1/metrics', 'a.b.c');
    expect((await parts.client.xlen('tgefd:v1:audit')) - before).toBe(4);
  });

  test('a record that cannot be kept turns an Allow into our outage (strict)', async () => {
    api = await startApi(apis['REST REQUEST'], { ...environment(), TGEFD_REVOCATION_ON_ERROR: 'open' });
    const bearer = await token('alice', 'metrics');
    expect((await ask('/v1/metrics', bearer)).status).toBe(200);
    await parts.setFault({ kind: 'refuse' });
    expect((await ask('/v1/metrics', bearer)).status).toBe(503);
  });

  test('revocation that cannot be asked about is a 503, not a Deny', async () => {
    api = await startApi(apis['REST REQUEST'], environment());
    await parts.setFault({ kind: 'refuse' });
    expect((await ask('/v1/metrics', await token('bob', 'metrics'))).status).toBe(503);
  });

  test('what was put off is done before the answer leaves: Lambda freezes the process behind it', async () => {
    api = await startApi(apis['REST REQUEST'], {
      ...environment(),
      TGEFD_AUDIT_MODE: 'relaxed',
      TGEFD_REDIS_TIMEOUT_MS: '2000',
    });
    const bearer = await token('alice', 'metrics');
    await ask('/v1/metrics', bearer);
    await parts.setFault({ kind: 'delay', delayMs: 400 });
    const startedMs = performance.now();
    expect((await ask('/v1/metrics', bearer)).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThan(390);
  });
});

describeWith([openssl], `client certificates of API Gateway, on ${runtimeName}`, () => {
  let authority: Authority;
  let worker: IssuedCertificate;
  beforeAll(async () => {
    authority = await startAuthority(openssl);
    worker = await authority.issue({ subject: '/CN=worker', subjectAltNames: ['URI:spiffe://example/worker'] });
  });
  afterAll(() => authority?.stop());
  const environment = {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'mtls',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_MTLS_POLICY: JSON.stringify([{ san: 'URI:spiffe://example/worker', scopes: ['metrics'] }]),
  };

  test.each(['REST REQUEST', 'HTTP 1.0', 'HTTP 2.0 simple', 'HTTP 2.0 IAM'] as const)(
    '%s: the certificate that the platform has verified names the caller, a header never does',
    async (name) => {
      api = await startApi(apis[name], environment);
      const headers: [string, string][] = [['x-ssl-client-subject', 'CN=worker']];
      expect((await api.send({ target: '/v1/metrics', headers })).status).toBe(401);
      const { status } = await api.send({ target: '/v1/metrics', headers, clientCertPem: worker.pem });
      expect(status).toBe(200);
      expect(api.forwarded[0]?.fields['x-auth-request-method']).toBe('mtls');
      expect((await api.send({ target: '/v1/jobs/1', clientCertPem: worker.pem })).status).toBe(403);
      const [first = '', ...lines] = worker.pem.split('\n');
      const broken = [first, ...lines.map((line) => line.slice(1))].join('\n');
      expect((await api.send({ target: '/v1/metrics', clientCertPem: broken })).status).toBe(401);
      await expect.poll(() => records().at(-1), { timeout: 5000 }).toMatchObject({ reason: 'certificate_malformed' });
    },
  );
});
