import { SignJWT } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { type Api, createApiGateway } from '../support/api-gateway.ts';
import { type ApiName, apis, runtimeName, type StartedApi, startApi } from './lambda-apis.ts';

const SECRET = 'a secret of the tests, 32 bytes or more';
const TTL_SECONDS = 300;

function token(subject: string, scope: string) {
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
}

const environment = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWT_SECRET: SECRET,
  TGEFD_RBAC_ENABLED: 'true',
};

/** The same API with answers kept, as API Gateway demands it: the credential is the identity. */
function kept(name: ApiName, ...more: readonly string[]): Api {
  const credential = name.startsWith('REST') ? 'method.request.header.Authorization' : '$request.header.Authorization';
  return { ...apis[name], ttlSeconds: TTL_SECONDS, identitySources: [credential, ...more] };
}
const withPolicies = (Object.keys(apis) as ApiName[]).filter((name) => name !== 'HTTP 2.0 simple');

let api: StartedApi;
afterEach(() => api?.stop());
async function start(
  definition: Api,
  env: Readonly<Record<string, string>> = { TGEFD_AUTHORIZER_TTL_SEC: `${TTL_SECONDS}` },
) {
  api = await startApi(definition, { ...environment, ...env });
}
async function statusOf(bearer: string, target: string, method = 'GET') {
  const { status } = await api.send({ method, target, headers: [['authorization', `Bearer ${bearer}`]] });
  return status;
}

describe.each(withPolicies)(`an answer that API Gateway keeps, %s, on ${runtimeName}`, (name) => {
  test('for a permitted route does not open another one', async () => {
    await start(kept(name));
    const reader = await token('alice', 'metrics');
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(await statusOf(reader, '/v1/jobs/1')).toBe(403);
    expect(await statusOf(reader, '/v1/discover', 'POST')).toBe(403);
    expect(api.events).toHaveLength(1);
  });

  test('for a refused route does not shut another one', async () => {
    await start(kept(name));
    const reader = await token('alice', 'metrics jobs');
    expect(await statusOf(reader, '/v1/discover', 'POST')).toBe(403);
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(await statusOf(reader, '/v1/jobs/7')).toBe(200);
    expect(await statusOf(reader, '/v1/jobs/7/output')).toBe(403);
    expect(api.events).toHaveLength(1);
  });

  test('is right on every route even where nobody has told the function that it is kept', async () => {
    await start(kept(name), {});
    const reader = await token('alice', 'metrics');
    expect(await statusOf(reader, '/v1/discover', 'POST')).toBe(403);
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(await statusOf(reader, '/v1/evaluate', 'POST')).toBe(403);
    expect(api.events).toHaveLength(1);
  });

  test('is for one credential, and for the time to live', async () => {
    await start(kept(name));
    const [reader, analyst] = [await token('alice', 'metrics'), await token('bob', 'discover')];
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(await statusOf(analyst, '/v1/metrics')).toBe(403);
    expect(api.events).toHaveLength(2);
    api.passSeconds(TTL_SECONDS);
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(api.events).toHaveLength(3);
  });

  test('is never one about a request that cannot be read', async () => {
    await start(kept(name));
    const reader = await token('alice', 'metrics');
    expect(await statusOf(reader, '/v1/metrics;a=b')).toBe(401);
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(api.events).toHaveLength(2);
  });

  test('is never one about a credential that was refused', async () => {
    await start(kept(name));
    expect(await statusOf('a.b.c', '/v1/metrics')).toBe(401);
    expect(await statusOf('a.b.c', '/v1/metrics')).toBe(401);
    expect(api.events).toHaveLength(2);
  });

  test('about an empty heavy budget leaves the other routes open', async () => {
    const limits = { TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '1', TGEFD_AUTHORIZER_TTL_SEC: `${TTL_SECONDS}` };
    await start(kept(name), limits);
    const analyst = await token('bob', 'discover metrics');
    expect(await statusOf(analyst, '/v1/discover', 'POST')).toBe(200);
    api.passSeconds(TTL_SECONDS);
    expect(await statusOf(analyst, '/v1/discover', 'POST')).toBe(403);
    expect(await statusOf(analyst, '/v1/metrics')).toBe(200);
    expect(api.events).toHaveLength(2);
  });

  test('carries no assertion', async () => {
    const key =
      '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}';
    await start(
      { ...kept(name), requestFields: { assertion: 'context.authorizer.assertion' } },
      {
        TGEFD_AUTHORIZER_TTL_SEC: `${TTL_SECONDS}`,
        TGEFD_ASSERTION_KEY: key,
        TGEFD_UPSTREAM_URL: 'https://api.internal',
      },
    );
    expect(await statusOf(await token('alice', 'metrics'), '/v1/metrics')).toBe(200);
    expect(api.forwarded[0]?.fields).toEqual({ assertion: '' });
  });
});

describe(`a simple answer that is kept, on ${runtimeName}`, () => {
  const routes = [
    { method: 'GET', path: '/v1/metrics' },
    { method: 'GET', path: '/v1/jobs/{job_id}' },
    { method: 'POST', path: '/v1/discover' },
  ];

  test('is right with the route among the identity sources', async () => {
    await start({ ...kept('HTTP 2.0 simple', '$context.routeKey'), routes });
    const reader = await token('alice', 'metrics');
    expect(await statusOf(reader, '/v1/discover', 'POST')).toBe(403);
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(await statusOf(reader, '/v1/jobs/1')).toBe(403);
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(api.events).toHaveLength(3);
  });

  test('opens every route without it, which no function can help', async () => {
    await start({ ...kept('HTTP 2.0 simple'), routes });
    const reader = await token('alice', 'metrics');
    expect(await statusOf(reader, '/v1/metrics')).toBe(200);
    expect(await statusOf(reader, '/v1/discover', 'POST')).toBe(200);
  });
});

describe('what must not be kept', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----';

  test.each(['REST REQUEST', 'HTTP 2.0 simple'] as const)(
    '%s: an answer to a caller with a certificate',
    async (name) => {
      await start(kept(name, ...(name === 'REST REQUEST' ? [] : ['$context.routeKey'])));
      const { status } = await api.send({
        target: '/v1/metrics',
        clientCertPem: pem,
        headers: [['authorization', `Bearer ${await token('alice', 'metrics')}`]],
      });
      expect(status).toBe(name === 'REST REQUEST' ? 503 : 500);
      expect(api.lambda.lines.join('\n')).toContain('TGEFD_AUTHORIZER_TTL_SEC must be 0 with client certificates');
    },
  );

  test('policies of a table that no policy can express', async () => {
    const rows = JSON.stringify([{ method: 'GET', path: '/v1/jobs/{id}/output', scope: 'metrics', budget: 'read' }]);
    await start(kept('REST REQUEST'), { TGEFD_AUTHORIZER_TTL_SEC: `${TTL_SECONDS}`, TGEFD_ENDPOINTS: rows });
    expect(await statusOf(await token('alice', 'metrics'), '/v1/jobs/1/output')).toBe(503);
    await api.stop();
    await start({ ...apis['REST REQUEST'] }, { TGEFD_ENDPOINTS: rows });
    const reader = await token('alice', 'metrics');
    expect(await statusOf(reader, '/v1/jobs/1/output')).toBe(200);
    expect(await statusOf(reader, '/v1/jobs/1')).toBe(403);
    expect(await statusOf(reader, '/v1/jobs/1/other')).toBe(403);
  });
});

test('the API Gateway of these tests has the famous bug: a policy of one ARN, kept, decides about others', async () => {
  const naive = createApiGateway(kept('REST REQUEST'), {
    nowMs: () => 0,
    invoke: async (event) => ({
      principalId: 'alice',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: (event as { methodArn: string }).methodArn },
        ],
      },
    }),
    integrate: () => ({ status: 200, headers: new Headers(), body: '' }),
  });
  const request = { method: 'GET', headers: [['authorization', 'Bearer x']], sourceIp: '198.51.100.7' } as const;
  expect((await naive.handle({ ...request, target: '/live/v1/metrics' })).status).toBe(200);
  expect((await naive.handle({ ...request, target: '/live/v1/jobs/1' })).status).toBe(403);
});
