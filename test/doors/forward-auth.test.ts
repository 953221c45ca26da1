import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import type { StartedProxy } from '../support/proxy.ts';
import { type RawResponse, requestRaw } from '../support/raw-http.ts';
import { ask, recordedProxies } from '../support/recorded-proxies.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { makeCredentials } from './credentials.ts';
import { type DoorCase, doorTable } from './table.ts';

/*
 * The one door table through forward-auth: with the documented nginx and Caddy in front, and with the questions that Traefik
 * and Envoy put. What is asserted is what the caller sees, and what the service gets.
 */

let issuer: Issuer;
let service: Upstream;
let credentials: Awaited<ReturnType<typeof makeCredentials>>;

beforeAll(async () => {
  [issuer, service] = await Promise.all([startIssuer(), startUpstream()]);
  credentials = await makeCredentials(issuer);
});
afterAll(() => Promise.all([issuer?.stop(), service?.stop()]));

/** The table as it holds where the proxy forwards the caller's own spelling: one that is not canonical is refused. */
const table = doorTable.map(
  (request): DoorCase =>
    request.target.includes('%6D') ? { ...request, expect: { status: 400, code: 'request_invalid' } } : request,
);

/** What a proxy refuses by itself, in its own words: with 400, before anybody is asked. */
const refusedByTheProxy: Readonly<Record<'nginx' | 'caddy', readonly string[]>> = {
  nginx: [
    'a token of more than 8 KiB',
    'two Authorization fields',
    'path with an encoded NUL',
    'path with half a percent-encoding',
    'path with a percent-encoding that is none',
  ],
  caddy: ['path with half a percent-encoding', 'path with a percent-encoding that is none'],
};

function startAuthorizer(door: string, env: Readonly<Record<string, string>> = {}): Promise<StartedDoor> {
  return startNodeDoor({
    ...jwtEnvironment(issuer),
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_FORWARD_AUTH: door,
    TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
    ...env,
  });
}

function fieldsOf(request: DoorCase): (readonly [string, string])[] {
  return [
    ...(request.credential ? [['Authorization', `Bearer ${credentials[request.credential]}`] as const] : []),
    ...(request.fields ?? []),
    ...(request.body === undefined ? [] : [['Content-Length', String(request.body.length)] as const]),
  ];
}

function records(door: StartedDoor) {
  return door.lines.filter((line) => line.includes('"type":"audit"')).map((line) => JSON.parse(line));
}

function expectDenial(answer: Pick<RawResponse, 'status' | 'field' | 'body'>, request: DoorCase) {
  const { status, code, challenge, allow } = request.expect;
  expect(answer.status).toBe(status);
  expect(answer.field('www-authenticate')).toBe(challenge ?? null);
  expect(answer.field('allow')).toBe(allow ?? null);
  expect(answer.field('content-type')).toBe('application/problem+json');
  expect(answer.field('cache-control')).toBe('no-store');
  expect(answer.field('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  expect(JSON.parse(answer.body)).toMatchObject({ status, code, request_id: answer.field('x-request-id') });
}

for (const { door, program, start } of await documentedProxies()) {
  describeWith([program], `behind the documented ${door}`, () => {
    let authorizer: StartedDoor;
    let proxy: StartedProxy;
    beforeAll(async () => {
      authorizer = await startAuthorizer(door);
      proxy = await start(authorizer.port, service.port);
    });
    afterAll(async () => {
      await proxy?.stop();
      await authorizer?.stop();
    });

    const send = (request: DoorCase) =>
      requestRaw(
        proxy.port,
        `${request.method ?? 'GET'} ${request.target} HTTP/1.1`,
        [`Host: 127.0.0.1:${proxy.port}`, ...fieldsOf(request).map(([name, value]) => `${name}: ${value}`)],
        request.body,
      );

    test.each(table.map((request) => [request.name, request] as const))('%s', async (name, request) => {
      const before = { service: service.received.length, records: records(authorizer).length };
      const answer = await send(request);
      const forwarded = service.received.slice(before.service);
      if (request.expect.status === 200) {
        expect(forwarded).toHaveLength(1);
        expect(forwarded[0]).toMatchObject({ method: request.method ?? 'GET', target: request.target });
        expect([200, 202]).toContain(answer.status);
        const fields = Object.fromEntries(
          forwarded[0]?.fields.map(([name, value]) => [name.toLowerCase(), value]) ?? [],
        );
        expect(fields['x-auth-request-user']).toMatch(/^[a-z]+$/);
        expect(fields['x-auth-request-method']).toBe('jwt');
        expect(fields).not.toHaveProperty('authorization');
        // Caddy leaves a placeholder as literal text where it copies a field that the authorizer did not send.
        for (const [name, value] of Object.entries(fields)) expect(`${name}: ${value}`).not.toContain('{');
        return;
      }
      expect(forwarded).toEqual([]);
      if (!refusedByTheProxy[door].includes(name)) return expectDenial(answer, request);
      expect(answer.status).toBe(400);
      expect(records(authorizer)).toHaveLength(before.records);
    });

    test('every question left exactly one record', async () => {
      await expect
        .poll(() => records(authorizer).length, { timeout: 5000 })
        .toBe(doorTable.length - refusedByTheProxy[door].length);
      expect(new Set(records(authorizer).map((record) => record.door))).toEqual(new Set([door]));
    });

    test.each([
      [
        'another URI',
        [
          ['X-Forwarded-Uri', '/v1/evaluate'],
          ['X-Original-URI', '/v1/evaluate'],
        ],
      ],
      [
        'another URI twice',
        [
          ['X-Forwarded-Uri', '/v1/evaluate'],
          ['x-forwarded-uri', '/v1/evaluate'],
        ],
      ],
      [
        'another URI by other names',
        [
          ['X-Original-Url', '/healthz'],
          ['X-Rewrite-Url', '/healthz'],
        ],
      ],
      [
        'another method',
        [
          ['X-Forwarded-Method', 'POST'],
          ['X-Original-Method', 'POST'],
        ],
      ],
      [
        'another spelling',
        [
          ['X_Forwarded_Uri', '/v1/evaluate'],
          ['X.Original.URI', '/v1/evaluate'],
        ],
      ],
      [
        'a Connection that takes the sources away',
        [['Connection', 'X-Forwarded-Uri, X-Original-URI, X-Forwarded-Method']],
      ],
    ] as const)('a caller who names %s is still asked about its own request', async (_, fields) => {
      const token = await issuer.token({ subject: 'bob', scope: 'evaluate' });
      const answer = await requestRaw(proxy.port, 'GET /v1/metrics HTTP/1.1', [
        `Host: 127.0.0.1:${proxy.port}`,
        `Authorization: Bearer ${token}`,
        ...fields.map(([name, value]) => `${name}: ${value}`),
      ]);
      expect(answer.status).toBe(403);
      expect(answer.field('www-authenticate')).toContain('scope="metrics"');
      expect(records(authorizer).at(-1)).toMatchObject({ method: 'GET', pattern: '/v1/metrics' });
    });
  });
}

describe.each(recordedProxies.map((proxy) => [proxy.door, proxy] as const))('asked as %s asks', (door, proxy) => {
  let authorizer: StartedDoor;
  beforeAll(async () => {
    authorizer = await startAuthorizer(door);
  });
  afterAll(() => authorizer?.stop());

  const outcomeOf = async (request: DoorCase) => {
    const method = request.method ?? 'GET';
    const question = proxy.question({ method, target: request.target, fields: fieldsOf(request) });
    return proxy.outcome(await ask(authorizer.port, question));
  };

  test.each(table.map((request) => [request.name, request] as const))('%s', async (_name, request) => {
    const outcome = await outcomeOf(request);
    if (request.expect.status === 200) {
      expect(outcome).toMatchObject({ forwarded: { 'x-auth-request-method': 'jwt' } });
      expect(Object.values('forwarded' in outcome ? outcome.forwarded : {})).not.toContain('MISSING');
      return;
    }
    if ('forwarded' in outcome) throw new Error('the request was let through');
    const { status, fields, body } = outcome;
    const field = (name: string) => fields.find(([one]) => one.toLowerCase() === name)?.[1] ?? null;
    // An answer to HEAD has no body on the wire.
    if (request.method === 'HEAD' && door === 'envoy') return expect(status).toBe(request.expect.status);
    expectDenial({ status, field, body }, request);
  });

  test('every decision left exactly one record', () => {
    expect(records(authorizer)).toHaveLength(doorTable.length);
    expect(new Set(records(authorizer).map((record) => record.door))).toEqual(new Set([door]));
  });
});

/** Questions that no documented proxy puts, each refused, and the field that the record blames. */
const badQuestions: readonly (readonly [string, 'nginx' | 'traefik' | 'caddy', readonly string[], string])[] = [
  ['no source at all', 'nginx', [], 'x-original-method'],
  ['no method', 'nginx', ['X-Original-URI: /v1/metrics'], 'x-original-method'],
  ['no URI', 'nginx', ['X-Original-Method: GET'], 'x-original-uri'],
  ['no method', 'traefik', ['X-Forwarded-Uri: /v1/metrics'], 'x-forwarded-method'],
  ['no URI', 'traefik', ['X-Forwarded-Method: GET'], 'x-forwarded-uri'],
  ['no URI', 'caddy', ['X-Forwarded-Method: GET'], 'x-forwarded-uri'],
  [
    "another proxy's sources",
    'nginx',
    ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: /v1/metrics'],
    'x-original-method',
  ],
  ["another proxy's sources", 'caddy', ['X-Original-Method: GET', 'X-Original-URI: /v1/metrics'], 'x-forwarded-method'],
  [
    'a URI that another source contradicts',
    'nginx',
    ['X-Original-Method: GET', 'X-Original-URI: /v1/metrics', 'X-Forwarded-Uri: /healthz'],
    'x-forwarded-uri',
  ],
  [
    'a URI that ingress-nginx contradicts',
    'nginx',
    ['X-Original-Method: GET', 'X-Original-URI: /v1/metrics', 'X-Original-URL: http://a/v1/metrics'],
    'x-original-url',
  ],
  [
    'a method that another source contradicts',
    'caddy',
    ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: /v1/metrics', 'X-Original-Method: POST'],
    'x-original-method',
  ],
  [
    'two methods',
    'traefik',
    ['X-Forwarded-Method: GET', 'X-Forwarded-Method: GET', 'X-Forwarded-Uri: /v1/metrics'],
    'x-forwarded-method',
  ],
  [
    'a method in lower case',
    'traefik',
    ['X-Forwarded-Method: get', 'X-Forwarded-Uri: /v1/metrics'],
    'x-forwarded-method',
  ],
  [
    'a URI that is a URL',
    'caddy',
    ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: http://a/v1/metrics'],
    'x-forwarded-uri',
  ],
  [
    'a placeholder that Caddy left as it stood',
    'caddy',
    ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: {http.request.uri}'],
    'x-forwarded-uri',
  ],
];

describe.each(['nginx', 'traefik', 'caddy'] as const)('the check endpoint for %s', (door) => {
  let authorizer: StartedDoor;
  let authorization: string;
  beforeAll(async () => {
    authorizer = await startAuthorizer(door);
    authorization = `Authorization: Bearer ${await issuer.token()}`;
  });
  afterAll(() => authorizer?.stop());

  const put = (fields: readonly string[], line = 'GET /_authorizer/check HTTP/1.1') =>
    ask(authorizer.port, { line, fields: ['Host: authorizer', authorization, ...fields] });
  /** What a caller gets: behind nginx the true status travels in a field. */
  const statusOf = (answer: RawResponse) => Number(answer.field('x-tgefd-status') ?? answer.status);
  const names =
    door === 'nginx'
      ? (['X-Original-Method', 'X-Original-URI'] as const)
      : (['X-Forwarded-Method', 'X-Forwarded-Uri'] as const);

  test.each(badQuestions.filter(([, one]) => one === door))('refuses %s (%s)', async (_, __, fields, blamed) => {
    const answer = await put(fields);
    expect(statusOf(answer)).toBe(400);
    expect(answer.status).toBe(door === 'nginx' ? 403 : 400);
    expect(records(authorizer).at(-1)).toMatchObject({ outcome: 'denied', code: 'request_invalid', door });
    expect(JSON.stringify(records(authorizer).at(-1))).toContain(`"forwarded_invalid"`);
    expect(JSON.stringify(records(authorizer).at(-1))).toContain(blamed);
  });

  test('refuses a URI that was sent twice, even twice the same', async () => {
    for (const second of ['/v1/metrics', '/healthz']) {
      const answer = await put([`${names[0]}: GET`, `${names[1]}: /v1/metrics`, `${names[1]}: ${second}`]);
      expect(statusOf(answer), second).toBe(400);
    }
  });

  test('believes every source that says the same', async () => {
    const answer = await put([
      'X-Original-Method: GET',
      'X-Original-URI: /v1/metrics',
      'X-Forwarded-Method: GET',
      'X-Forwarded-Uri: /v1/metrics',
    ]);
    expect(answer.status).toBe(200);
  });

  test('looks neither at its own query nor at its own method', async () => {
    const fields = [`${names[0]}: GET`, `${names[1]}: /v1/metrics`];
    expect((await put(fields, 'POST /_authorizer/check?uri=/healthz HTTP/1.1')).status).toBe(200);
  });

  test('is not to be found at the paths of other doors, nor below its own', async () => {
    const fields = [`${names[0]}: GET`, `${names[1]}: /v1/metrics`];
    for (const path of ['/_authorizer/ext-authz/v1/metrics', '/_authorizer/check/', '/_authorizer/Check']) {
      expect((await put(fields, `GET ${path} HTTP/1.1`)).status, path).toBe(404);
    }
  });
});

describe('the check endpoint for envoy', () => {
  let authorizer: StartedDoor;
  let authorization: string;
  beforeAll(async () => {
    authorizer = await startAuthorizer('envoy');
    authorization = `Authorization: Bearer ${await issuer.token()}`;
  });
  afterAll(() => authorizer?.stop());
  const put = (line: string, fields: readonly string[] = []) =>
    ask(authorizer.port, { line: `${line} HTTP/1.1`, fields: ['Host: api.example', authorization, ...fields] });

  test.each(['GET /v1/metrics', 'HEAD /v1/metrics', 'POST /v1/discover_async'])(
    'allows %s with 200 and nothing else',
    async (line) => {
      const [method, target] = line.split(' ');
      expect((await put(`${method} /_authorizer/ext-authz${target}`)).status).toBe(200);
    },
  );

  test.each([
    ['the prefix alone', '/_authorizer/ext-authz', 400],
    ['a prefix that only begins alike', '/_authorizer/ext-authzv1/metrics', 404],
    ['the prefix twice', '/_authorizer/ext-authz/_authorizer/ext-authz/v1/metrics', 404],
    ['an own page behind the prefix', '/_authorizer/ext-authz/_authorizer/revocations', 404],
    ['a dot segment that would leave the prefix', '/_authorizer/ext-authz/../../v1/metrics', 400],
    ['an encoded slash behind the prefix', '/_authorizer/ext-authz/v1%2fmetrics', 400],
    ['the prefix in another letter case', '/_AUTHORIZER/ext-authz/v1/metrics', 404],
    ['an encoded prefix', '/_authorizer/ext%2dauthz/v1/metrics', 404],
    ["another door's path", '/_authorizer/check', 404],
  ])('never lets %s through', async (_, path, status) => {
    expect((await put(`GET ${path}`)).status).toBe(status);
  });

  test.each([
    ['X-Forwarded-Uri: /healthz', 400],
    ['X-Original-URI: /healthz', 400],
    ['X-Original-URL: /v1/metrics', 200],
    ['X-Forwarded-Method: POST', 400],
  ])('with a stray `%s` it answers %i', async (field, status) => {
    expect((await put('GET /_authorizer/ext-authz/v1/metrics', [field])).status).toBe(status);
  });
});

describe('a certificate that Caddy names', () => {
  let authorizer: StartedDoor;
  beforeAll(async () => {
    authorizer = await startNodeDoor({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'mtls',
      TGEFD_FORWARD_AUTH: 'caddy',
      TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
      TGEFD_MTLS_SOURCES: 'subject,client_cert',
    });
  });
  afterAll(() => authorizer?.stop());

  test.each([
    ['X-Ssl-Client-Subject: {http.request.tls.client.subject}'],
    ['Client-Cert: :{http.request.tls.client.certificate_der_base64}:'],
    ['Client-Cert: ::'],
  ])('is none where it stayed a placeholder: `%s`', async (field) => {
    const answer = await ask(authorizer.port, {
      line: 'GET /_authorizer/check HTTP/1.1',
      fields: ['Host: authorizer', 'X-Forwarded-Method: GET', 'X-Forwarded-Uri: /v1/metrics', field],
    });
    expect(answer.status).toBe(401);
  });
});
