import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAuthorize } from '../../../lib/authorize/authorize.ts';
import type { Principal } from '../../../lib/decision/principal.ts';
import type { Endpoint, Route } from '../../../lib/decision/request.ts';

function authorize(caller: Principal, route: Route, rbacEnabled: boolean, path = '/x') {
  return createAuthorize(route.found === 'endpoint' ? [route.endpoint] : [], rbacEnabled)(caller, route, path);
}
function principal(...scopes: string[]): Principal {
  return {
    method: 'jwt',
    subject: 'alice',
    identity: 'alice',
    claims: null,
    issuer: null,
    scopes,
    roles: [],
    keyId: null,
    tokenId: null,
    issuedAtSeconds: null,
    expiresAtSeconds: null,
    thumbprint: null,
  };
}
function endpoint(scope: string | null, own = false, action = own ? 'revocations' : 'x'): Route {
  return {
    found: 'endpoint',
    endpoint: { action, method: 'GET', pattern: '/x', scope, budget: 'none', own } satisfies Endpoint,
  };
}
function missing(scope: string) {
  return { reason: 'scope_missing', scope };
}

describe('authorize', () => {
  it.each([
    ['the scope held', ['jobs'], 'jobs', true, null],
    ['the scope held among others', ['discover', 'jobs'], 'jobs', true, null],
    ['`*` held', ['*'], 'jobs', true, null],
    ['another scope held', ['discover'], 'jobs', true, missing('jobs')],
    ['a longer scope held', ['jobs.read'], 'jobs', true, missing('jobs')],
    ['a part of the scope held', ['job'], 'jobs', true, missing('jobs')],
    ['the scope in another letter case', ['Jobs'], 'jobs', true, missing('jobs')],
    ['nothing held', [], 'jobs', true, missing('jobs')],
    ['nothing held and nothing demanded', [], null, true, null],
    ['nothing held and RBAC off', [], 'jobs', false, null],
  ] as const)('with %s', (_, scopes, scope, rbac, answer) => {
    expect(authorize(principal(...scopes), endpoint(scope), rbac)).toEqual(answer);
  });

  it.each([true, false])('opens the revocations by name alone, with RBAC %s', (rbac) => {
    expect(authorize(principal('revoke'), endpoint('revoke', true), rbac)).toBeNull();
    expect(authorize(principal('*'), endpoint('revoke', true), rbac)).toEqual(missing('revoke'));
    expect(authorize(principal('discover'), endpoint('revoke', true), rbac)).toEqual(missing('revoke'));
    expect(authorize(principal(), endpoint('revoke', true), rbac)).toEqual(missing('revoke'));
  });

  it.each([true, false])('opens our metrics page to `*`, as every endpoint scope, with RBAC %s', (rbac) => {
    const page = endpoint('metrics', true, 'authorizer_metrics');
    expect(authorize(principal('metrics'), page, rbac)).toBeNull();
    expect(authorize(principal('*'), page, rbac)).toBeNull();
    expect(authorize(principal('jobs'), page, rbac)).toEqual(missing('metrics'));
  });

  it.each([true, false])('denies what no row names, whatever is held, with RBAC %s', (rbac) => {
    const everything = principal('*', 'revoke');
    expect(authorize(everything, { found: 'nothing' }, rbac)).toEqual({ reason: 'endpoint_unknown' });
    expect(
      authorize(everything, { found: 'other_methods', allow: ['GET', 'HEAD'], pattern: '/x', own: false }, rbac),
    ).toEqual({
      reason: 'method_unknown',
      allow: ['GET', 'HEAD'],
    });
  });

  it('permits by a scope held or by `*`, and by nothing else', () => {
    const names = fc.constantFrom('a', 'b', 'c', '*', 'revoke', 'constructor', '__proto__', '');
    fc.assert(
      fc.property(fc.array(names), names, fc.boolean(), (scopes, scope, own) => {
        const permitted = scopes.includes(scope) || (!own && scopes.includes('*'));
        expect(authorize(principal(...scopes), endpoint(scope, own), true) === null).toBe(permitted);
      }),
      { seed: 6749 },
    );
  });
});

describe('several scopes', () => {
  function demanding(scope: Endpoint['scope']): Route {
    const row = { action: 'x', method: 'GET', pattern: '/x', scope, budget: 'none', own: false } as const;
    return { found: 'endpoint', endpoint: row };
  }
  it.each([
    [['a'], { any: ['a', 'b'] }, null],
    [['b', 'c'], { any: ['a', 'b'] }, null],
    [['c'], { any: ['a', 'b'] }, missing('a b')],
    [['*'], { any: ['a', 'b'] }, null],
    [['a', 'b'], { all: ['a', 'b'] }, null],
    [['a'], { all: ['a', 'b'] }, missing('a b')],
    [['*'], { all: ['a', 'b'] }, null],
    [[], { all: ['a'] }, missing('a')],
  ] as const)('held %j, demanded %j', (held, demanded, answer) => {
    expect(authorize(principal(...held), demanding(demanded), true)).toEqual(answer);
  });
});

describe('issuers and claims', () => {
  const claims = {
    sub: 'alice',
    tenant: 7,
    big: 1e21,
    groups: ['red', 'blue', 3],
    nothing: null,
    nested: { team: 'ops-eu', list: [{ a: 1 }] },
    path: 'a b',
    rest: 'x/y',
  };
  const row = (more: Partial<Endpoint>): Route => ({
    found: 'endpoint',
    endpoint: { action: 'x', method: 'GET', pattern: '/u/{id}', scope: null, budget: 'none', own: false, ...more },
  });
  const caller = { ...principal(), issuer: 'https://a.example', claims };
  const mismatch = (claim: string) => ({ reason: 'claim_mismatch', claim });

  it.each([
    ['its own path', { sub: '{id}' }, '/u/alice', null],
    ['the path of somebody else', { sub: '{id}' }, '/u/bob', mismatch('sub')],
    ['the same in another letter case', { sub: '{id}' }, '/u/Alice', mismatch('sub')],
    ['a number that is equal', { tenant: '{id}' }, '/u/7', null],
    ['a number in another form', { tenant: '{id}' }, '/u/07', mismatch('tenant')],
    ['a number in its shortest form', { big: '{id}' }, '/u/1e+21', null],
    ['an entry of an array', { groups: '{id}' }, '/u/blue', null],
    ['a number in an array', { groups: '{id}' }, '/u/3', null],
    ['no entry of an array', { groups: '{id}' }, '/u/green', mismatch('groups')],
    ['a segment that is percent-encoded', { path: '{id}' }, '/u/a%20b', null],
    ['a claim that is absent', { nobody: '{id}' }, '/u/undefined', mismatch('nobody')],
    ['a claim that is null', { nothing: '{id}' }, '/u/null', mismatch('nothing')],
    ['a claim that is an object', { nested: '{id}' }, '/u/[object Object]', mismatch('nested')],
    ['an inherited name', { constructor: '{id}' }, '/u/x', mismatch('constructor')],
    ['a prefix', { 'nested.team': 'ops-*' }, '/u/x', null],
    ['another prefix', { 'nested.team': 'dev-*' }, '/u/x', mismatch('nested.team')],
    ['one value of a list', { sub: ['bob', 'alice'] }, '/u/x', null],
    ['a list with a reference', { sub: ['bob', '{id}'] }, '/u/alice', null],
    ['both of two claims', { sub: '{id}', tenant: 7 }, '/u/alice', null],
    ['one of two claims', { sub: '{id}', tenant: 8 }, '/u/alice', mismatch('tenant')],
  ] as const)('with %s', (_, wanted: Record<string, unknown>, path, answer) => {
    const demands = Object.entries(wanted).map(([at, values]) => ({ path: at, values: [values].flat() as string[] }));
    expect(authorize(caller, row({ claims: demands }), true, path)).toEqual(answer);
    expect(authorize(caller, row({ claims: demands }), false, path)).toEqual(answer);
  });

  it('compares a tail as a whole', () => {
    const rest = row({ pattern: '/f/{p...}', claims: [{ path: 'rest', values: ['{p}'] }] });
    expect(authorize(caller, rest, true, '/f/x/y')).toBeNull();
    expect(authorize(caller, rest, true, '/f/x')).toEqual(mismatch('rest'));
  });

  it('denies a caller without claims, and a row whose path is not known', () => {
    const own = row({ claims: [{ path: 'sub', values: ['{id}'] }] });
    expect(authorize(principal(), own, true, '/u/alice')).toEqual(mismatch('sub'));
    const step = createAuthorize(own.found === 'endpoint' ? [own.endpoint] : [], true);
    expect(step(caller, own, null)).toEqual(mismatch('sub'));
  });

  it.each([
    [['https://a.example'], 'https://a.example', null],
    [['https://b.example', 'https://a.example'], 'https://a.example', null],
    [['https://b.example'], 'https://a.example', { reason: 'issuer_not_allowed' }],
    [['https://a.example/'], 'https://a.example', { reason: 'issuer_not_allowed' }],
    [['https://a.example'], null, { reason: 'issuer_not_allowed' }],
  ])('allows the issuers %j: %s', (issuers, issuer, answer) => {
    expect(authorize({ ...caller, issuer }, row({ issuers }), true)).toEqual(answer);
  });

  it('tells an operator what was found and wanted, and by which member', () => {
    const told: unknown[] = [];
    const own = row({ claims: [{ path: 'sub', values: ['{id}'] }] });
    const step = createAuthorize(own.found === 'endpoint' ? [own.endpoint] : [], true);
    step(caller, own, '/u/bob', (...line) => told.push(line));
    expect(told).toEqual([
      [
        'authorize',
        'refused: claim_mismatch',
        { found: '"alice"', wanted: 'bob ({id})', set_by: 'row GET /u/{id}, member claims' },
      ],
    ]);
  });
});
