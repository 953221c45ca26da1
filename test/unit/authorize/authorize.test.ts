import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorize } from '../../../lib/authorize/authorize.ts';
import type { Principal } from '../../../lib/decision/principal.ts';
import type { Endpoint, Route } from '../../../lib/decision/request.ts';

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
