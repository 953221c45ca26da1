import { describe, expect, test } from 'vitest';
import { cliPlatform } from '../../../lib/platform/cli/platform.ts';
import type { PolicyCase } from '../../../lib/policy/cases/case.ts';
import { createCaseDecision } from '../../../lib/policy/cases/decide.ts';
import { lint } from '../../../lib/policy/lint.ts';
import { loadPolicy } from '../../../lib/policy/load.ts';

/* What people write who know another product: it works as meant, or it is refused by a sentence that says what to write. */

const row = { method: 'GET', path: '/items', scope: 'items:read', budget: 'none' };
const own = { issuer: 'https://kc.example/realms/r', audience: 'api', keys: 'https://kc.example/keys' };
const editor = { editor: ['items:read'] };

function load(issuer: object, endpoint: object = row) {
  return loadPolicy(JSON.stringify({ preset: 'none', issuers: [issuer], endpoints: [endpoint] }), {});
}

function problemsOf(issuer: object, endpoint: object = row): string {
  const loaded = load(issuer, endpoint);
  if (loaded.ok) return '';
  return loaded.problems.map(({ variable, found, accepted }) => `${variable}: ${found}: ${accepted}`).join('\n');
}

function configOf(issuer: object, endpoint: object = row) {
  const loaded = load(issuer, endpoint);
  if (!loaded.ok) throw new Error(problemsOf(issuer, endpoint));
  return loaded.config;
}

async function decided(issuer: object, claims: object, endpoint: object = row, path = '/items') {
  const config = configOf(issuer, endpoint);
  const platform = cliPlatform({ env: {}, err: () => undefined }, 'gateway', true);
  const decide = await createCaseDecision(config, (clock) => ({ ...platform.runtime(config), clock }), Date.now);
  const { status, reason } = await decide({ request: { path }, claims: claims as PolicyCase['claims'], expect: {} });
  return reason === null ? status : `${status} ${reason}`;
}

describe('a row is refused', () => {
  test.each<[written: string, change: object, says: string]>([
    [
      'with the path of Express',
      { path: '/items/:id' },
      '"path" must not have `:id`, which would be a literal: write {id}',
    ],
    ['with the path of Flask', { path: '/items/<int:id>' }, 'write {id}'],
    ['with the path of Next', { path: '/items/[id]' }, 'write {id}'],
    ['with the path of API Gateway', { path: '/items/{proxy+}' }, '"path" must use {name} for a whole segment'],
    ['with a regular expression', { path: '^/items/[0-9]+$' }, '"path" must be a path pattern such as /v1/items/{id}'],
    ['with a class of characters', { path: '/items/[0-9]+' }, 'a segment is {name} or text'],
    ['with a star', { path: '/items/*' }, 'write {name} for one segment, {name...} for the rest'],
    ['with a query', { path: '/items?page=1' }, '"path" must not have a query'],
    ['with a whole URL', { path: 'https://api.example/items' }, '"path" must be a path pattern'],
    ['with an unencoded letter', { path: '/größe' }, 'percent-encoded'],
    ['with a method in lower case', { method: 'get' }, '"method" must be an HTTP method in upper case'],
    ['with several methods', { method: 'GET,POST' }, '"method" must be an HTTP method in upper case'],
    ['with ANY', { method: 'ANY' }, '"method": one row for each method'],
    ['with HEAD', { method: 'HEAD' }, 'write GET'],
    ['with a scope for everything', { scope: '*' }, '"scope" must be a scope name without `*`'],
    ['with a scope that ends in a star', { scope: 'items:*' }, '"scope" must be a scope name without `*`'],
    ['with two scopes in one text', { scope: 'items:read items:write' }, '{"any": [names]}, {"all": [names]}'],
    ['with a list of scopes', { scope: ['items:read', 'items:write'] }, '{"any": [names]}, {"all": [names]}'],
    ['without a scope', { scope: undefined }, 'null for any authenticated caller; it is missing'],
    ['with roles', { roles: ['editor'] }, 'unknown member "roles" (a row demands a scope, and role_scopes gives'],
    ['with scopes', { scopes: ['x'] }, 'unknown member "scopes" (write "scope")'],
    ['as public', { public: true }, 'no row is open to callers without credentials'],
    ['with a budget of its own', { budget: 'write' }, '"budget" must be "heavy", "read" or "none"'],
    [
      'for another spelling of the issuer',
      { issuers: [`${own.issuer}/`] },
      'configured issuers (https://kc.example/realms/r)',
    ],
    ['with a scheme as a way', { auth: 'bearer' }, '"auth" must be "jwt", "mtls"'],
    [
      'with a parameter that is none',
      { claims: { sub: '{user}' } },
      '"claims" refers to a name that "path" does not have',
    ],
    [
      'with a parameter of Express',
      { path: '/u/{user}', claims: { sub: ':user' } },
      'must name a path parameter as "{user}"',
    ],
    [
      'with a parameter of a shell',
      { path: '/u/{user}', claims: { sub: '$user' } },
      'must name a path parameter as "{user}"',
    ],
    ['with a template', { path: '/u/{user}', claims: { sub: '{{user}}' } }, '{name} only as a whole'],
    ['with a pattern inside a value', { claims: { tenant: 'a*b' } }, '`*` only at its end'],
  ])('%s', (_, change, says) => {
    expect(problemsOf(own, { ...row, ...change })).toContain(says);
  });
});

describe('an issuer is refused', () => {
  test.each<[written: string, change: object, says: string]>([
    ['with JSONPath', { roles: '$.realm_access.roles' }, '.roles: "$.realm_access.roles": a claim path without `$`'],
    ['with brackets', { roles: "resource_access['app'].roles" }, 'a claim path without brackets'],
    ['with a star in a path', { roles: 'groups.*' }, 'a claim path without `*`'],
    ['with JMESPath', { roles: 'roles || groups' }, 'a claim path without `|`: several paths are a list'],
    ['with a wrong path among good ones', { subject: ['sub', '$.email'] }, '.subject: '],
    ['with a path in what it requires', { require: { '$.tenant': 't1' } }, 'a claim path without `$`'],
    ['with `aud`', { aud: 'api' }, '.aud: an unknown member: `audience`?'],
    ['with `jwks_uri`', { jwks_uri: 'https://kc.example/k' }, '.jwks_uri: an unknown member: `keys`?'],
    ['with `domain`', { domain: 'kc.example' }, '.domain: an unknown member: `issuer`?'],
    ['with two audiences in one text', { audience: 'a,b' }, 'a list of them, without comma and `*`'],
    ['for every audience', { audience: '*' }, 'without comma and `*`'],
    [
      'with the URL of its metadata',
      { issuer: 'https://a.example/.well-known/openid-configuration' },
      'such as `https://a.example`',
    ],
    [
      'with metadata for keys',
      { keys: 'https://a.example/.well-known/openid-configuration' },
      'its `jwks_uri`, or nothing',
    ],
    ['with a placeholder', { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }, '.issuer: '],
    [
      'of no tenant',
      { issuer: 'https://login.microsoftonline.com/common/v2.0', provider: 'entra' },
      'the issuer of your tenant',
    ],
    ['of an unknown provider', { provider: 'azure' }, 'one of auth0, clerk'],
    ['with HMAC beside a key set', { algorithms: ['HS256'] }, 'a list of RS256'],
    ['with a role for everybody', { role_scopes: { '*': ['items:read'] } }, 'the name of a role (without `*`)'],
    ['with scopes in one text', { role_scopes: { editor: 'items:read items:write' } }, 'to a list of scope names'],
    ['with an inner star in a subject', { require: { sub: 'repo:org/*:ref:x' } }, '`*` only at the end'],
    ['with a duration in words', { max_ttl_sec: '1h' }, 'a whole number'],
    ['with both grants', { grants: 'both' }, '`first` or `union`'],
  ])('%s', (_, change, says) => {
    expect(problemsOf({ ...own, ...change })).toContain(says);
  });
});

describe('a policy means what it says', () => {
  const union = { grants: 'union', role_scopes: editor };
  const keycloak = { ...own, provider: 'keycloak', role_scopes: editor };
  const cognito = { issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/p', provider: 'cognito', audience: 'client' };
  const github = {
    issuer: 'https://token.actions.githubusercontent.com',
    provider: 'github',
    audience: 'api',
    require: { sub: 'repo:org/*' },
  };
  const tenant = { ...row, scope: null, path: '/t/{tenant}', claims: { tenant: '{tenant}' } };

  test.each<[string, object, object, string | number]>([
    [
      'nested roles by dots',
      { ...own, roles: 'realm_access.roles', ...union },
      { realm_access: { roles: ['editor'] }, scope: 'openid' },
      200,
    ],
    [
      'nested roles by a pointer',
      { ...own, roles: '/realm_access/roles', ...union },
      { realm_access: { roles: ['editor'] } },
      200,
    ],
    [
      'roles beside a scope claim, which alone counts',
      { ...own, roles: 'roles', role_scopes: editor },
      { roles: ['editor'], scope: 'openid' },
      '403 scope_missing',
    ],
    ['`scp` where nothing is named', own, { scp: ['items:read'] }, 200],
    ['`scope` where `scp` is named', { ...own, scopes: 'scp' }, { scope: 'items:read' }, '403 scope_missing'],
    ['roles in another letter case', { ...own, roles: 'roles', role_scopes: editor }, { roles: ['Editor'] }, 200],
    [
      'roles with a prefix, which are other roles',
      { ...own, roles: 'roles', role_scopes: editor },
      { roles: ['ROLE_EDITOR'] },
      '403 scope_missing',
    ],
    [
      'lists of lists, which grant nothing',
      { ...own, roles: 'roles', role_scopes: editor },
      { roles: [['editor']] },
      '403 scope_missing',
    ],
    [
      'a claim that is named by a URL',
      { ...own, roles: 'https://my.app/roles', role_scopes: editor },
      { 'https://my.app/roles': ['editor'] },
      200,
    ],
    [
      'a pointer into a text',
      { ...own, roles: '/name/0', role_scopes: { e: ['items:read'] } },
      { name: 'editor' },
      '403 scope_missing',
    ],
    [
      'a role that names a role',
      { ...own, role_scopes: { a: ['b'], b: ['a'] } },
      { roles: ['a'] },
      '403 scope_missing',
    ],
    ['Keycloak, realm roles', keycloak, { scope: 'openid', realm_access: { roles: ['editor'] } }, 200],
    ['Keycloak, client roles', keycloak, { scope: 'openid', resource_access: { api: { roles: ['editor'] } } }, 200],
    [
      'Keycloak, roles of another client',
      keycloak,
      { resource_access: { other: { roles: ['editor'] } } },
      '403 scope_missing',
    ],
    [
      'Keycloak, a client with a dot',
      { ...own, roles: '/resource_access/my.app/roles', ...union },
      { resource_access: { 'my.app': { roles: ['editor'] } } },
      200,
    ],
    [
      'Auth0, permissions',
      { issuer: 'https://t.auth0.com/', provider: 'auth0', audience: 'api' },
      { permissions: ['items:read'], aud: ['api', 'https://t.auth0.com/userinfo'] },
      200,
    ],
    [
      'Auth0, an issuer without its slash',
      { issuer: 'https://t.auth0.com', provider: 'auth0', audience: 'api' },
      { iss: 'https://t.auth0.com/' },
      '401 token_issuer_unknown',
    ],
    ['Cognito, an access token without audience', cognito, { client_id: 'client', scope: 'items:read' }, 200],
    [
      'Cognito, an ID token',
      cognito,
      { aud: 'client', token_use: 'id', scope: 'items:read' },
      '401 token_claim_refused',
    ],
    [
      'an audience that is missing',
      own,
      { aud: null, client_id: 'api', scope: 'items:read' },
      '401 token_claim_missing',
    ],
  ])('%s', async (_, issuer, claims, outcome) => {
    expect(await decided(issuer, claims)).toBe(outcome);
  });

  test('a number equals a path parameter as text, and a boolean and a number equal themselves', async () => {
    expect(await decided(own, { tenant: 42 }, tenant, '/t/42')).toBe(200);
    expect(await decided(own, { tenant: 42 }, tenant, '/t/042')).toBe('403 claim_mismatch');
    const level = { ...row, scope: null, claims: { level: 3, verified: true } };
    expect(await decided(own, { level: 3, verified: true }, level)).toBe(200);
    expect(await decided(own, { level: 3, verified: 'no' }, level)).toBe('403 claim_mismatch');
  });

  test('a subject of GitHub by its beginning, and not one that only begins alike', async () => {
    const open = { ...row, scope: null };
    expect(await decided(github, { sub: 'repo:org/app:ref:refs/heads/main' }, open)).toBe(200);
    expect(await decided(github, { sub: 'repo:organisation/app:ref:x' }, open)).toBe('401 token_claim_refused');
  });

  test('application roles of Entra count beside a delegated scope', async () => {
    const id = '11111111-1111-1111-1111-111111111111';
    const entra = {
      issuer: `https://login.microsoftonline.com/${id}/v2.0`,
      provider: 'entra',
      audience: 'api',
      role_scopes: editor,
    };
    expect(await decided(entra, { scp: 'access_as_user', roles: ['editor'], tid: id, ver: '2.0' })).toBe(200);
    expect(await decided(entra, { scp: 'access_as_user', tid: id, ver: '2.0' })).toBe('403 scope_missing');
  });
});

describe('lint tells what is valid and rarely meant', () => {
  test.each<[string, object, object, string, string]>([
    ['a slash at the end', own, { ...row, path: '/items/' }, 'trailing_slash', 'does not take /items'],
    ['an issuer without a scheme', { ...own, issuer: 'kc.example' }, row, 'issuer_no_url', 'https://kc.example'],
    ['Auth0 without its slash', { ...own, issuer: 'https://t.auth0.com' }, row, 'issuer_slash', 'https://t.auth0.com/'],
    [
      'a role of roles',
      { ...own, role_scopes: { a: ['b'], b: ['x'] } },
      row,
      'role_as_scope',
      'a role includes no role',
    ],
    [
      'a scope that only tokens can name',
      own,
      { ...row, scope: 'editor' },
      'ungranted_scope',
      'only a token that names it',
    ],
  ])('%s', (_, issuer, endpoint, rule, says) => {
    expect(lint(configOf(issuer, endpoint))).toContainEqual(
      expect.objectContaining({ rule, text: expect.stringContaining(says) }),
    );
  });
});
