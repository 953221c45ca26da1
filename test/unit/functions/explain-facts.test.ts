import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { main } from '../../../functions/cli.ts';

const SECRET = 'a secret of thirty-two bytes and more';
const tokens = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWT_SECRET: SECRET,
  TGEFD_JWT_ISSUER: 'https://t.auth0.com',
  TGEFD_JWT_AUDIENCE: 'https://api.example',
  TGEFD_JWT_MAX_TTL_SEC: '600',
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9000',
};
const certificates = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'mtls',
  TGEFD_TRUSTED_PROXIES: '127.0.0.0/8',
  TGEFD_MTLS_POLICY: '[{"subject":"CN=known","scopes":["metrics"]}]',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9000',
};

const nowSeconds = Math.floor(Date.now() / 1000);
const holds = {
  iss: 'https://t.auth0.com',
  aud: 'https://api.example',
  sub: 'alice',
  scope: 'metrics',
  iat: nowSeconds,
  exp: nowSeconds + 300,
};

function signed(claims: object = {}, header: object = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', ...header })}.${part({ ...holds, ...claims })}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

async function explain(env: Record<string, string>, ...args: string[]) {
  const out: string[] = [];
  await main(['explain', '--json', '--path', '/v1/metrics', ...args], {
    env,
    out: (line) => void out.push(line),
    err: () => undefined,
  });
  return JSON.parse(out.at(-1) ?? 'null');
}

test('explain lets the token of these tests pass', async () => {
  expect(await explain(tokens, '--token', signed())).toMatchObject({ outcome: 'allowed', found: null });
});

test.each<[string, string, object]>([
  [
    'an issuer with a slash too much',
    signed({ iss: 'https://t.auth0.com/' }),
    {
      reason: 'token_issuer_unknown',
      found: 'https://t.auth0.com/',
      wanted: 'https://t.auth0.com',
      set_by: 'TGEFD_JWT_ISSUER',
    },
  ],
  [
    'another audience',
    signed({ aud: ['https://other.example'] }),
    {
      reason: 'token_claim_invalid',
      found: '["https://other.example"]',
      wanted: 'https://api.example',
      set_by: 'TGEFD_JWT_AUDIENCE',
    },
  ],
  [
    'an algorithm that is not listed',
    signed({}, { alg: 'HS512' }),
    {
      reason: 'token_algorithm_refused',
      found: 'HS512',
      wanted: expect.stringMatching(/^HS256/),
      set_by: 'TGEFD_JWT_ALLOWED_ALGS',
    },
  ],
  [
    'another typ',
    signed({}, { typ: 'dpop+jwt' }),
    {
      reason: 'token_header_refused',
      found: 'typ: dpop+jwt',
      wanted: expect.stringContaining('at+jwt'),
      set_by: 'TGEFD_JWT_TYP',
    },
  ],
  [
    'a lifetime that is too long',
    signed({ exp: nowSeconds + 3_000 }),
    {
      reason: 'token_lifetime_too_long',
      found: '3000 s',
      wanted: 'at most 600 s',
      set_by: 'TGEFD_JWT_MAX_TTL_SEC',
    },
  ],
  [
    'a scope that the row does not take',
    signed({ scope: 'jobs' }),
    { reason: 'scope_missing', found: 'jobs', wanted: 'metrics', set_by: 'row GET /v1/metrics, member scope' },
  ],
])('explain names the value found, the value wanted and what sets it, for %s', async (_, token, told) => {
  expect(await explain(tokens, '--token', token)).toMatchObject({ outcome: 'denied', ...told });
});

test.each<[string, string, object]>([
  [
    'that no rule names',
    'CN=stranger',
    {
      reason: 'certificate_unmapped',
      found: 'CN=stranger',
      wanted: 'a rule that names it',
      set_by: 'TGEFD_MTLS_POLICY',
    },
  ],
  [
    'that the proxy did not verify',
    'FAILED:self signed certificate',
    {
      reason: 'certificate_unverified',
      found: 'a certificate that was not verified',
      wanted: 'a chain that ends at a trusted authority',
      set_by: 'the trusted proxy',
    },
  ],
])(
  'explain names the value found, the value wanted and what sets it, for a certificate %s',
  async (_, subject, told) => {
    const fields = ['--peer', '127.0.0.1', '--header', `x-ssl-client-subject: ${subject}`];
    expect(await explain(certificates, ...fields)).toMatchObject({ outcome: 'denied', ...told });
  },
);
