import { describe, expect, it } from 'vitest';
import { createGrants } from '../../../lib/authorize/grants.ts';

const settings = {
  scopesClaim: null,
  roleClaim: 'role',
  rolesClaim: 'roles',
  roleScopes: { admin: ['*'], analyst: ['discover', 'evaluate', 'jobs', 'metrics'], reader: ['metrics', 'jobs'] },
  revokeScope: 'revoke',
};
function of(claims: object, changes: object = {}) {
  return createGrants({ ...settings, ...changes }).ofClaims(claims as Record<string, unknown>);
}
function explicit(...scopes: string[]) {
  return { scopes, roles: [] };
}
function invalid(claim: string) {
  return { reason: 'token_claim_invalid', claim };
}

describe('what claims grant', () => {
  it.each([
    ['scope, before the others', { scp: 'c', scopes: 'b', scope: 'a' }, ['a']],
    ['scopes, before scp', { scp: ['c'], scopes: ['b'] }, ['b']],
    ['scp, when it is the only one', { scp: 'c d' }, ['c', 'd']],
    ['scope, even if it is empty', { scope: '', scopes: 'b', role: 'admin' }, []],
  ])('are the scopes of %s', (_, claims, scopes) => {
    expect(of(claims)).toEqual(explicit(...scopes));
  });

  it('are those of the configured claim where it is present, else of the usual ones', () => {
    const changes = { scopesClaim: 'permissions' };
    expect(of({ permissions: ['x'], scope: 'a' }, changes)).toEqual(explicit('x'));
    expect(of({ permissions: [], scope: 'a' }, changes)).toEqual(explicit());
    expect(of({ scope: 'a' }, changes)).toEqual(explicit('a'));
  });

  it('are those of roles only where no scope claim is present', () => {
    expect(of({ role: 'admin' })).toEqual({ scopes: ['*', 'revoke'], roles: ['admin'] });
    expect(of({ role: 'admin', scope: 'jobs' })).toEqual(explicit('jobs'));
    expect(of({ role: 'admin', scp: [] })).toEqual(explicit());
    expect(of({ role: 7, scope: 'jobs' })).toEqual(explicit('jobs'));
  });

  it('join both role claims, in any letter case, each role once', () => {
    expect(of({ role: 'READER', roles: ['Analyst', 'reader'] })).toEqual({
      scopes: ['metrics', 'jobs', 'discover', 'evaluate'],
      roles: ['reader', 'analyst'],
    });
    expect(of({ group: 'reader' }, { roleClaim: 'group' })).toEqual({ scopes: ['metrics', 'jobs'], roles: ['reader'] });
  });

  it.each([
    ['root'],
    ['constructor'],
    ['__proto__'],
    ['toString'],
    ['hasOwnProperty'],
    ['not admin'],
    [''],
    ['admin\0'],
    ['ADMİN'],
  ])('are nothing for the role %j', (role) => {
    expect(of({ role })).toEqual(explicit());
    expect(of({ roles: [role] })).toEqual(explicit());
  });

  it('are nothing without scopes and roles', () => {
    expect(of({})).toEqual(explicit());
  });

  it('are not taken from a prototype', () => {
    expect(of(JSON.parse('{"__proto__":{"scope":"*","role":"admin"}}'))).toEqual(explicit());
    expect(of({}, { scopesClaim: 'constructor', roleClaim: '__proto__', rolesClaim: 'toString' })).toEqual(explicit());
    expect(of(Object.create({ scope: '*' }))).toEqual(explicit());
  });

  it.each([[7], [null], [true], [{ discover: true }], [['a', 1]], [[['*']]], [{ length: 1, 0: '*' }]])(
    'are refused for a scope claim %j',
    (scope) => {
      expect(of({ scope })).toEqual(invalid('scope'));
      expect(of({ scp: scope, role: 'admin' })).toEqual(invalid('scope'));
    },
  );

  it.each([[7], [null], [{ admin: true }], [['admin', 1]], [[['admin']]]])(
    'are refused for a role claim %j',
    (role) => {
      expect(of({ role })).toEqual(invalid('role'));
      expect(of({ role: 'reader', roles: role })).toEqual(invalid('role'));
    },
  );
});

describe('what lists grant', () => {
  const { ofLists } = createGrants(settings);

  it('are scopes before roles, and nothing without either', () => {
    expect(ofLists('discover jobs', 'admin')).toEqual(explicit('discover', 'jobs'));
    expect(ofLists(['discover'], ['admin'])).toEqual(explicit('discover'));
    expect(ofLists('', 'admin')).toEqual(explicit());
    expect(ofLists(null, 'Reader, nobody')).toEqual({ scopes: ['metrics', 'jobs'], roles: ['reader'] });
    expect(ofLists(null, ['Admin'])).toEqual({ scopes: ['*', 'revoke'], roles: ['admin'] });
    expect(ofLists(null, null)).toEqual(explicit());
  });
});
