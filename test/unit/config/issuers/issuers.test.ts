import { describe, expect, it } from 'vitest';
import { egressTargets } from '../../../../lib/config/egress.ts';
import { loadConfig } from '../../../../lib/config/load.ts';
import { problemLine } from '../../../../lib/config/problem.ts';
import type { Platform } from '../../../../lib/config/variable.ts';

const base = { TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9' };
const jwk = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const row = { issuer: 'https://id.example', audience: 'api' };

function load(env: Record<string, string>, platform: Platform = 'node') {
  return loadConfig({ ...base, ...env }, { platform, role: 'gateway', upstreamBinding: false, bucketBinding: false });
}
function rows(...issuers: object[]) {
  return { TGEFD_ISSUERS: JSON.stringify(issuers) };
}
function issuersOf(env: Record<string, string>) {
  const loaded = load(env);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.config.issuers;
}
function problemsOf(env: Record<string, string>, platform: Platform = 'node'): string {
  const loaded = load(env, platform);
  return loaded.ok ? '' : loaded.problems.map(problemLine).join('\n');
}

describe('a row of TGEFD_ISSUERS', () => {
  it('has defaults for whatever it leaves out', () => {
    expect(issuersOf(rows(row))).toMatchObject([
      {
        spellings: ['https://id.example'],
        audiences: ['api'],
        keys: { from: 'discovery', issuer: 'https://id.example' },
        algorithms: ['RS256'],
        subject: ['sub'],
        scopes: ['scope', 'scopes', 'scp'],
        scopesNamed: false,
        roles: ['role', 'roles'],
        grants: 'first',
        identifiesByIssuer: true,
      },
    ]);
  });

  it('takes a single text where a list stands', () => {
    const [issuer] = issuersOf(
      rows({ ...row, algorithms: 'ES256', subject: 'email', roles: 'groups', require: { tid: 't' } }),
    );
    expect(issuer).toMatchObject({
      algorithms: ['ES256'],
      subject: ['email'],
      roles: ['groups'],
      required: { tid: ['t'] },
    });
  });

  it('with named scopes has no other default left, a provider’s included', () => {
    const [issuer] = issuersOf(rows({ ...row, provider: 'keycloak', scopes: ['perms'] }));
    expect(issuer).toMatchObject({ scopes: ['perms'], scopesNamed: true, roles: [] });
  });

  it('takes the defaults of its provider, and puts its own above them', () => {
    const [issuer] = issuersOf(rows({ ...row, provider: 'cognito', max_ttl_sec: 60, require: { x: 'y' } }));
    expect(issuer).toMatchObject({
      audienceClaim: 'client_id',
      required: { token_use: ['access'], x: ['y'] },
      maximumLifetimeSeconds: 60,
    });
  });

  it.each<[name: string, change: object, says: string]>([
    [
      'an unknown member',
      { audiense: 'x' },
      'TGEFD_ISSUERS[0].audiense: found an unknown member; accepted: `audience`',
    ],
    ['no issuer', { issuer: undefined }, 'TGEFD_ISSUERS[0].issuer: found nothing'],
    ['a comma in an issuer', { issuer: 'https://a.example,https://b.example' }, 'TGEFD_ISSUERS[0].issuer'],
    ['a pattern as an issuer', { issuer: 'https://*.example' }, 'TGEFD_ISSUERS[0].issuer'],
    ['a template as an issuer', { issuer: 'https://login.example/{tenantid}/v2.0' }, 'TGEFD_ISSUERS[0].issuer'],
    ['a comma in an audience', { audience: 'a,b' }, 'TGEFD_ISSUERS[0].audience'],
    ['an unknown provider', { provider: 'ory' }, 'TGEFD_ISSUERS[0].provider'],
    ['HS256', { algorithms: ['HS256'] }, 'TGEFD_ISSUERS[0].algorithms'],
    ['none', { algorithms: ['none'] }, 'TGEFD_ISSUERS[0].algorithms'],
    ['a JSONPath', { roles: ['$.realm_access.roles'] }, 'TGEFD_ISSUERS[0].roles'],
    ['a lifetime as a text', { max_ttl_sec: '60' }, 'TGEFD_ISSUERS[0].max_ttl_sec'],
    ['an inner star', { require: { sub: 'a*b' } }, 'TGEFD_ISSUERS[0].require'],
    ['a scope with a bar', { role_scopes: { a: ['x|y'] } }, 'TGEFD_ISSUERS[0].role_scopes'],
    ['one role twice', { role_scopes: { a: ['x'], A: ['y'] } }, 'TGEFD_ISSUERS[0].role_scopes'],
    ['two sources of keys', { keys: { file: 'a', jwks: { keys: [jwk] } } }, 'TGEFD_ISSUERS[0].keys'],
    ['a plain URL of keys', { keys: 'http://id.example/keys' }, 'TGEFD_ISSUERS[0].keys'],
    ['an issuer without discovery', { issuer: 'acme' }, 'TGEFD_ISSUERS[0].keys'],
    [
      'keys for another algorithm',
      { keys: { jwks: { keys: [jwk] } } },
      'TGEFD_ISSUERS[0].keys: found no usable key (kty)',
    ],
    [
      'a private key',
      { algorithms: 'ES256', keys: { jwks: { keys: [{ ...jwk, d: 'AAAA' }] } } },
      'a private or symmetric key',
    ],
    [
      'a token file for keys that are not fetched',
      { keys: { file: '/keys' }, keys_token_file: '/t' },
      'TGEFD_ISSUERS[0].keys_token_file',
    ],
    ['a trust domain without one', { provider: 'spiffe' }, 'TGEFD_ISSUERS[0].issuer: found no trust domain'],
    [
      'a tenant that no token names',
      { provider: 'entra', issuer: 'https://login.microsoftonline.com/common/v2.0' },
      'an issuer of no tenant',
    ],
  ])('with %s is a problem', (_, change, says) => {
    expect(problemsOf(rows({ ...row, ...change }))).toContain(says);
  });

  it('never shows a private key in a problem', () => {
    const d = 'c2VjcmV0LWtleS1tYXRlcmlhbC1vZi1hLXByaXZhdGUta2V5';
    for (const keys of [{ jwks: { keys: [{ ...jwk, d }] } }, { jwks: { keys: [{ ...jwk, d }] }, file: 1 }, d])
      expect(problemsOf(rows({ ...row, algorithms: 'ES256', keys }))).not.toContain(d);
  });
});

describe('several issuers', () => {
  it.each([['[]'], ['{}'], ['x'], ['[1]'], ['[{"issuer":"https://a.example","issuer":"https://b.example"}]']])(
    '%s is a problem',
    (text) => {
      expect(problemsOf({ TGEFD_ISSUERS: text })).toContain('TGEFD_ISSUERS');
    },
  );

  it('may not share a spelling', () => {
    expect(problemsOf(rows(row, { ...row, issuer: ['https://b.example', 'https://id.example'] }))).toContain(
      'TGEFD_ISSUERS[1].issuer',
    );
  });

  it.each([
    ['TGEFD_JWT_ISSUER', 'https://id.example'],
    ['TGEFD_JWT_AUDIENCE', 'api'],
    ['TGEFD_JWT_AUDIENCE_CLAIM', 'azp'],
    ['TGEFD_JWT_ALLOWED_ALGS', 'RS256'],
    ['TGEFD_JWT_TYP', 'JWT'],
    ['TGEFD_JWT_MAX_TTL_SEC', '60'],
    ['TGEFD_JWT_SUB_CLAIM', 'sub'],
    ['TGEFD_JWT_SCOPES_CLAIM', 'scope'],
    ['TGEFD_JWT_REQUIRED_CLAIMS', '{"a":"b"}'],
    ['TGEFD_JWT_GRANTS', 'union'],
    ['TGEFD_JWKS_URL', 'https://id.example/keys'],
    ['TGEFD_JWKS_FILE', '/keys'],
    ['TGEFD_ROLE_CLAIM', 'role'],
    ['TGEFD_ROLES_CLAIM', 'roles'],
    ['TGEFD_PROVIDER', 'okta'],
  ])('have no %s beside them', (name, value) => {
    expect(problemsOf({ ...rows(row), [name]: value })).toContain(`${name}: found a value; accepted: nothing beside`);
  });

  it('need an audience each in production', () => {
    const problems = problemsOf({ ...rows({ issuer: 'https://id.example' }), TGEFD_ENV: 'production' });
    expect(problems).toContain('TGEFD_ISSUERS[0].audience: found nothing');
  });

  it('read no files on a Worker', () => {
    expect(problemsOf(rows({ ...row, keys: { file: '/keys' } }), 'worker')).toContain('a Worker has no files');
    expect(problemsOf(rows({ ...row, keys_token_file: '/t' }), 'worker')).toContain('a Worker has no files');
  });

  it('open the way to their own hosts and to those of their providers', () => {
    const loaded = load(rows(row, { issuer: 'https://securetoken.google.com/p', provider: 'firebase', audience: 'p' }));
    if (!loaded.ok) throw new Error('invalid');
    const hosts = egressTargets(loaded.config.settings, null).map(({ host }) => host);
    expect(hosts).toEqual(expect.arrayContaining(['id.example', 'securetoken.google.com', 'www.googleapis.com']));
  });
});

describe('the single variables', () => {
  it('are a list of one with the same powers', () => {
    expect(
      issuersOf({
        TGEFD_JWT_ISSUER: 'https://id.example',
        TGEFD_JWT_AUDIENCE: 'a, b',
        TGEFD_JWT_SUB_CLAIM: 'email,sub',
        TGEFD_JWT_REQUIRED_CLAIMS: '{"tid":["t","u*"]}',
        TGEFD_JWT_GRANTS: 'union',
        TGEFD_ROLES_CLAIM: 'realm_access.roles',
        TGEFD_JWT_ALLOWED_ALGS: 'Ed25519',
      }),
    ).toMatchObject([
      {
        audiences: ['a', 'b'],
        subject: ['email', 'sub'],
        required: { tid: ['t', 'u*'] },
        grants: 'union',
        roles: ['role', 'realm_access.roles'],
        keys: { from: 'discovery' },
        algorithms: ['Ed25519'],
        identifiesByIssuer: false,
      },
    ]);
  });

  it('take the limit of the provider where none is given', () => {
    const env = { TGEFD_JWT_ISSUER: 'https://t.auth0.com/', TGEFD_JWT_AUDIENCE: 'api', TGEFD_PROVIDER: 'auth0' };
    expect(issuersOf(env)[0]?.maximumLifetimeSeconds).toBe(86_400);
    expect(issuersOf({ ...env, TGEFD_JWT_MAX_TTL_SEC: '60' })[0]?.maximumLifetimeSeconds).toBe(60);
  });

  it.each([
    ['TGEFD_JWT_ISSUER', 'https://a.example,https://b.example'],
    ['TGEFD_JWT_SCOPES_CLAIM', 'scp,permissions'],
    ['TGEFD_JWT_SCOPES_CLAIM', '$.scope'],
    ['TGEFD_ROLES_CLAIM', 'roles[*]'],
    ['TGEFD_JWT_AUDIENCE', 'a,,b'],
    ['TGEFD_JWT_REQUIRED_CLAIMS', '[]'],
    ['TGEFD_ROLE_SCOPES', '{"a":"x|y"}'],
    ['TGEFD_JWT_MAX_BYTES', '20000'],
  ])('%s=%s is a problem', (name, value) => {
    expect(problemsOf({ TGEFD_JWT_ISSUER: 'https://id.example', TGEFD_JWT_AUDIENCE: 'api', [name]: value })).toContain(
      name,
    );
  });
});

describe('issuers that strangers share', () => {
  const github = { issuer: 'https://token.actions.githubusercontent.com', provider: 'github', audience: 'api' };
  const open = {
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_ENDPOINTS: '[{"method":"GET","path":"/x","scope":null,"budget":"none"}]',
  };
  function warningsOf(env: Record<string, string>): string {
    return load(env).warnings.map(problemLine).join('\n');
  }

  it('are named where a row is open to any authenticated caller', () => {
    expect(warningsOf({ ...rows(github), ...open })).toContain(
      'TGEFD_ISSUERS[0].require: found nothing that keeps strangers out',
    );
  });

  it.each<[name: string, env: Record<string, string>]>([
    ['a claim is required', { ...rows({ ...github, require: { repository_owner_id: '1' } }), ...open }],
    ['every row demands a scope', { ...rows(github), TGEFD_RBAC_ENABLED: 'true' }],
  ])('are not named where %s', (_, env) => {
    expect(warningsOf(env)).not.toContain('strangers');
  });
});
