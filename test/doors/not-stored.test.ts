import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Code } from '../../lib/decision/reason.ts';
import { freePort } from '../support/child.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RawResponse, requestRaw } from '../support/raw-http.ts';
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

/*
 * No refusal may be stored by a cache on its way: the next caller would get it. Every code, by every way in that can tell it.
 */

const KEY = 'X-Api-Key: a-key-of-the-tests';
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = { iss: 'https://issuer.example', aud: 'api', sub: 'alice', exp: 4_000_000_000 };
const TOKEN = `Authorization: Bearer ${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.${'A'.repeat(342)}`;

let upstream: RawUpstream;
let deadPort: number;
beforeAll(async () => {
  deadPort = await freePort();
  upstream = await startRawUpstream(({ head }, socket) => {
    if (head.startsWith('GET /hang')) return null;
    if (!head.startsWith('GET /reset')) return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    socket.resetAndDestroy();
    return null;
  });
});
afterAll(() => upstream?.stop());

const row = (method: string, path: string, scope: string | null, budget = 'none') => ({ method, path, scope, budget });
const environment = (more: Record<string, string> = {}) => ({
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'api_key',
  TGEFD_API_KEY: 'tests:a-key-of-the-tests',
  TGEFD_API_KEY_SCOPES: 'own',
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_UPSTREAM_URL: upstream.url,
  TGEFD_ENDPOINTS: JSON.stringify([
    row('GET', '/own', 'own'),
    row('POST', '/own', 'own'),
    row('GET', '/other', 'other'),
    row('GET', '/hang', null),
    row('GET', '/reset', null),
    row('GET', '/limited', null, 'read'),
  ]),
  TGEFD_RATE_LIMIT_PER_MINUTE: '1',
  TGEFD_MAX_BODY_BYTES: '10',
  TGEFD_UPSTREAM_TIMEOUT_SEC: '0.3',
  TGEFD_IDLE_TIMEOUT_SEC: '0.3',
  TGEFD_CORS_ALLOWED_ORIGINS: 'https://app.example',
  TGEFD_AUDIT_MODE: 'off',
  TGEFD_AUDIT_LOG: 'false',
  ...more,
});
const withRedis = (more: Record<string, string>) =>
  environment({ TGEFD_REDIS_URL: `http://127.0.0.1:${deadPort}`, TGEFD_REDIS_TOKEN: 'token', ...more });

type Row = readonly [code: Code, line: string, fields: readonly string[], body: string];
const own: readonly Row[] = [
  ['request_invalid', 'GET /a//b', [KEY], ''],
  ['credentials_missing', 'GET /own', [], ''],
  ['credentials_invalid', 'GET /own', ['X-Api-Key: another'], ''],
  ['insufficient_scope', 'GET /other', [KEY], ''],
  ['endpoint_unknown', 'GET /nowhere', [KEY], ''],
  ['method_not_allowed', 'DELETE /own', [KEY], ''],
  ['rate_limited', 'GET /limited', [KEY], ''],
];
/** What only happens to who forwards. */
const forwarded: readonly Row[] = [
  ['body_too_large', 'POST /own', [KEY, 'Content-Length: 11'], 'x'.repeat(11)],
  ['request_timeout', 'POST /own', [KEY, 'Content-Length: 5'], 'xx'],
  ['upstream_unreachable', 'GET /reset', [KEY], ''],
  ['upstream_timeout', 'GET /hang', [KEY], ''],
];
const seen = new Set<Code>(['step_up_required', 'insecure_transport', 'internal_error']); // By the unit test of denials.

function expectNotStored(answer: RawResponse, code: Code): void {
  expect(JSON.parse(answer.body)).toMatchObject({ code, status: answer.status });
  expect(answer.fields.filter(([name]) => name.toLowerCase() === 'cache-control').map(([, value]) => value)).toEqual([
    'no-store',
  ]);
  expect(answer.field('etag') ?? answer.field('last-modified') ?? answer.field('expires')).toBeNull();
  seen.add(code);
}

describe.each([
  ['the gateway on Node', startNodeDoor],
  ['the gateway on workerd', startWorkerDoor],
] as const)('no refusal of %s may be stored', (_, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start(environment());
    await requestRaw(door.port, 'GET /limited HTTP/1.1', ['Host: a', KEY]);
  });
  afterAll(() => door?.stop());

  test.each<Row>([...own, ...forwarded])('%s', async (code, line, fields, body) => {
    const sent = ['Host: a', 'Origin: https://app.example', ...fields];
    expectNotStored(await requestRaw(door.port, `${line} HTTP/1.1`, sent, body), code);
  });
});

describe('no refusal of a forward-auth way in may be stored', () => {
  let door: StartedDoor;
  const ask = (line: string, fields: readonly string[]) => {
    const [method, path] = line.split(' ');
    const said = [`X-Forwarded-Method: ${method}`, `X-Forwarded-Uri: ${path}`, 'X-Forwarded-Host: a'];
    return requestRaw(door.port, 'GET /_authorizer/check HTTP/1.1', ['Host: a', ...said, ...fields]);
  };
  beforeAll(async () => {
    const more = { TGEFD_FORWARD_AUTH: 'caddy', TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' };
    door = await startNodeDoor(environment(more));
    await ask('GET /limited', [KEY]);
  });
  afterAll(() => door?.stop());

  test.each<Row>(own)('%s', async (code, line, fields) => {
    expectNotStored(await ask(line, fields), code);
  });
});

describe('no outage may be stored', () => {
  const jwt = () => {
    const { TGEFD_API_KEY: _key, TGEFD_API_KEY_SCOPES: _scopes, ...rest } = environment();
    return {
      ...rest,
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_ISSUER: claims.iss,
      TGEFD_JWT_AUDIENCE: claims.aud,
      TGEFD_JWKS_URL: `http://127.0.0.1:${deadPort}/jwks`,
      TGEFD_JWKS_MAX_ATTEMPTS: '1',
    };
  };
  const open = { TGEFD_REVOCATION_ON_ERROR: 'open' };
  test.each<readonly [Code, () => Record<string, string>, string, string]>([
    ['keys_unavailable', jwt, 'GET /own', TOKEN],
    ['revocation_unavailable', () => withRedis({ TGEFD_REVOCATION_ON_ERROR: 'closed' }), 'GET /own', KEY],
    ['limits_unavailable', () => withRedis({ ...open, TGEFD_RATE_LIMIT_ON_ERROR: 'closed' }), 'GET /limited', KEY],
    ['audit_unavailable', () => withRedis({ ...open, TGEFD_AUDIT_MODE: 'strict' }), 'GET /own', KEY],
  ])('%s', async (code, env, line, credential) => {
    const door = await startNodeDoor(env());
    try {
      expectNotStored(await requestRaw(door.port, `${line} HTTP/1.1`, ['Host: a', credential]), code);
    } finally {
      await door.stop();
    }
  });

  test('configuration_invalid', async () => {
    const door = await startWorkerDoor(environment({ TGEFD_RATE_LIMIT_MODE: 'sometimes' }));
    try {
      expectNotStored(await requestRaw(door.port, 'GET /own HTTP/1.1', ['Host: a', KEY]), 'configuration_invalid');
      const ready = await requestRaw(door.port, 'GET /readyz HTTP/1.1', ['Host: a']);
      expect([ready.status, ready.field('cache-control')]).toEqual([503, 'no-store']);
    } finally {
      await door.stop();
    }
  });
});

test('every code was told', () => {
  const codes: Readonly<Record<Code, true>> = {
    request_invalid: true,
    credentials_missing: true,
    credentials_invalid: true,
    step_up_required: true,
    insufficient_scope: true,
    insecure_transport: true,
    endpoint_unknown: true,
    method_not_allowed: true,
    request_timeout: true,
    body_too_large: true,
    rate_limited: true,
    upstream_unreachable: true,
    upstream_timeout: true,
    configuration_invalid: true,
    keys_unavailable: true,
    revocation_unavailable: true,
    limits_unavailable: true,
    audit_unavailable: true,
    internal_error: true,
  };
  expect([...seen].sort()).toEqual(Object.keys(codes).sort());
});

test('what is no request on Node may not be stored either', async () => {
  const door = await startNodeDoor(environment());
  try {
    for (const line of ['frobnicate', 'GET /own HTTP/1.1\r\nExpect: a-wonder']) {
      const text = await new Promise<string>((resolve) => {
        let all = '';
        const socket = connect(door.port, '127.0.0.1');
        socket.on('data', (chunk) => {
          all += chunk;
        });
        socket.on('error', () => {});
        socket.on('close', () => resolve(all));
        socket.write(`${line}\r\nHost: a\r\n\r\n`);
      });
      expect(text.toLowerCase()).toMatch(/^http\/1\.1 4\d\d [\s\S]*\r\ncache-control: no-store\r\n/);
    }
  } finally {
    await door.stop();
  }
});
