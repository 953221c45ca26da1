import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

/*
 * Tokens and client certificates side by side, through the Node gateway behind a trusted ingress that names the
 * certificate in its subject field.
 */

let issuer: Issuer;
let upstream: Upstream;
let good: string;

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
  good = await issuer.token({ subject: 'alice', scope: 'items' });
});
afterAll(() => Promise.all([issuer?.stop(), upstream?.stop()]));

const row = { method: 'GET', scope: 'items', budget: 'none' };
const environment = () => ({
  ...jwtEnvironment(issuer),
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_UPSTREAM_URL: upstream.url,
  TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
  TGEFD_POLICY: JSON.stringify({
    preset: 'none',
    endpoints: [
      { ...row, path: '/both' },
      { ...row, path: '/any', scope: null },
      { ...row, path: '/tokens', auth: 'jwt' },
      { ...row, path: '/certificates', auth: ['mtls'] },
    ],
    mtls: [
      { subject: 'O=Example, CN=svc', scopes: ['items'] },
      { ou: 'Reporting', issuer: 'CN=Example CA', scopes: 'other' },
    ],
  }),
});

const token = () => `Authorization: Bearer ${good}`;
const badToken = () => `Authorization: Bearer ${good}x`;
const certificate = 'X-Ssl-Client-Subject: CN=svc,O=Example';
const reordered = 'X-Ssl-Client-Subject: O = Example, CN = svc';
const unmapped = 'X-Ssl-Client-Subject: CN=stranger,O=Example';
const twice = ['X-Ssl-Client-Subject: O=Example', 'X-Ssl-Client-Subject: CN=svc'];

type Row = readonly [what: string, path: string, fields: () => readonly string[], status: number, told: string];
const bearer = 'Bearer realm="tgefd"';
const byCertificate = 'ClientCertificate realm="tgefd"';

const either: readonly Row[] = [
  ['a token', '/both', () => [token()], 200, 'jwt'],
  ['a certificate', '/both', () => [certificate], 200, 'mtls'],
  ['a certificate whose subject is written another way', '/both', () => [reordered], 200, 'mtls'],
  ['a certificate that no rule maps', '/both', () => [unmapped], 403, 'null'],
  ['a certificate that no rule maps, where any caller may', '/any', () => [unmapped], 403, 'null'],
  ['an invalid token', '/both', () => [badToken()], 401, `${bearer}, error="invalid_token"`],
  ['a token where only certificates count', '/certificates', () => [token()], 401, byCertificate],
  ['both where only certificates count', '/certificates', () => [badToken(), certificate], 200, 'mtls'],
  ['a certificate where only tokens count', '/tokens', () => [certificate], 401, bearer],
  ['both where only tokens count', '/tokens', () => [token(), unmapped], 200, 'jwt'],
];
const tokenFirst: readonly Row[] = [
  ...either,
  ['nothing', '/both', () => [], 401, bearer],
  ['both', '/both', () => [token(), certificate], 200, 'jwt'],
  ['a token beside a certificate that nobody mapped', '/both', () => [token(), unmapped], 200, 'jwt'],
  [
    'an invalid token beside a certificate',
    '/both',
    () => [badToken(), certificate],
    401,
    `${bearer}, error="invalid_token"`,
  ],
  ['a certificate that is named twice', '/both', () => twice, 400, 'null'],
];
const certificateFirst: readonly Row[] = [
  ...either,
  ['nothing', '/both', () => [], 401, byCertificate],
  ['both', '/both', () => [token(), certificate], 200, 'mtls'],
  ['an invalid token beside a certificate', '/both', () => [badToken(), certificate], 200, 'mtls'],
  ['a token beside a certificate that nobody mapped', '/both', () => [token(), unmapped], 403, 'null'],
];

describe.each([
  ['jwt,mtls', tokenFirst],
  ['mtls, jwt', certificateFirst],
] as const)('TGEFD_AUTH_MODE=%s', (mode, rows) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startNodeDoor({ ...environment(), TGEFD_AUTH_MODE: mode });
  });
  afterAll(() => door?.stop());

  test.each(rows)('%s at %s', async (_, path, fields, status, told) => {
    const before = upstream.received.length;
    const answer = await requestRaw(door.port, `GET ${path} HTTP/1.1`, ['Host: api.example', ...fields()]);
    expect(upstream.received.length - before).toBe(status === 200 ? 1 : 0);
    // The upstream knows no such path; what it answers is its own.
    if (status !== 200) expect(answer.status).toBe(status);
    if (status !== 200) return expect(String(answer.field('www-authenticate'))).toBe(told);
    const sent = Object.fromEntries(
      (upstream.received[before]?.fields ?? []).map(([name, value]) => [name.toLowerCase(), value]),
    );
    expect(sent['x-auth-request-method']).toBe(told);
    expect(sent['x-auth-request-user']).toBe(told === 'jwt' ? 'alice' : 'svc');
  });
});
