import { describe, expect, it } from 'vitest';
import { type ClaimGrantSettings, createClaimGrants } from '../../../lib/authorize/claim-grants.ts';
import { roleScopes } from '../../../lib/authorize/roles.ts';

const settings: ClaimGrantSettings = {
  scopes: ['scope', 'scopes', 'scp'],
  scopesNamed: false,
  roles: ['role', 'roles'],
  grants: 'first',
  roleScopes: roleScopes(
    { admin: ['*'], analyst: ['discover', 'evaluate', 'jobs', 'metrics'], reader: ['metrics', 'jobs'] },
    'revoke',
  ),
};
function of(claims: object, changes: Partial<ClaimGrantSettings> = {}) {
  return createClaimGrants({ ...settings, ...changes }).ofClaims(claims as Record<string, unknown>);
}
function explicit(...scopes: string[]) {
  return { scopes, roles: [] };
}

describe('what claims grant', () => {
  it.each([
    ['scope, before the others', { scp: 'c', scopes: 'b', scope: 'a' }, ['a']],
    ['scopes, before scp', { scp: ['c'], scopes: ['b'] }, ['b']],
    ['scp, when it is the only one', { scp: 'c d' }, ['c', 'd']],
    ['scope, even if it is empty', { scope: '', scopes: 'b', role: 'admin' }, []],
    ['the next one, where the first is null', { scope: null, scp: 'c' }, ['c']],
  ])('are the scopes of %s', (_, claims, scopes) => {
    expect(of(claims)).toEqual(explicit(...scopes));
  });

  it('are those of all named claims together, and of no other claim', () => {
    const named = { scopes: ['permissions', 'scp'], scopesNamed: true, roles: [] };
    expect(of({ permissions: ['x'], scp: 'y x', scope: 'a' }, named)).toEqual(explicit('x', 'y'));
    expect(of({ permissions: [], scope: 'a' }, named)).toEqual(explicit());
    expect(of({ scope: 'a', role: 'admin' }, named)).toEqual(explicit());
  });

  it('are found at nested places', () => {
    const nested = { scopes: ['/a/0/scopes'], scopesNamed: true, roles: ['realm_access.roles'] };
    expect(of({ a: [{ scopes: 'x' }], realm_access: { roles: ['admin'] } }, nested)).toEqual(explicit('x'));
    expect(of({ realm_access: { roles: ['Reader'] } }, nested).roles).toEqual(['reader']);
  });

  it('are those of roles only where no scope claim is present, whatever its type', () => {
    expect(of({ role: 'admin' })).toEqual({ scopes: ['*', 'revoke'], roles: ['admin'] });
    expect(of({ role: 'admin', scope: null })).toEqual({ scopes: ['*', 'revoke'], roles: ['admin'] });
    for (const scope of ['jobs', '', [], 7, true, {}, [1]]) expect(of({ role: 'admin', scope }).roles).toEqual([]);
  });

  it('are scopes and roles together where grants is union', () => {
    expect(of({ scope: 'x jobs', roles: ['reader'] }, { grants: 'union' })).toEqual({
      scopes: ['x', 'jobs', 'metrics'],
      roles: ['reader'],
    });
    expect(of({ scope: 3, roles: ['reader'] }, { grants: 'union' }).scopes).toEqual(['metrics', 'jobs']);
  });

  it('join all role claims, in any letter case, each role once', () => {
    expect(of({ role: 'READER', roles: ['Analyst', 'reader'] })).toEqual({
      scopes: ['metrics', 'jobs', 'discover', 'evaluate'],
      roles: ['reader', 'analyst'],
    });
  });

  it.each([['root'], ['constructor'], ['__proto__'], ['toString'], ['hasOwnProperty'], [''], ['admin\0'], ['ADMİN']])(
    'are nothing for the role %j',
    (role) => {
      expect(of({ role })).toEqual(explicit());
      expect(of({ roles: [role] })).toEqual(explicit());
    },
  );

  it.each([[7], [null], [true], [['admin', 1]], [[['admin']]]])('are nothing for a role claim %j', (role) => {
    expect(of({ role })).toEqual(explicit());
    expect(of({ role: 'reader', roles: role }).roles).toEqual(['reader']);
  });

  it.each([[7], [true], [{ discover: true }], [['a', 1]], [[['*']]], [{ length: 1, 0: '*' }]])(
    'are nothing for a scope claim %j',
    (scope) => {
      expect(of({ scope })).toEqual(explicit());
      expect(of({ scp: scope, role: 'admin' })).toEqual(explicit());
    },
  );

  it('are nothing without scopes and roles', () => {
    expect(of({})).toEqual(explicit());
  });

  it('are not taken from a prototype', () => {
    expect(of(JSON.parse('{"__proto__":{"scope":"*","role":"admin"}}'))).toEqual(explicit());
    expect(of({}, { scopes: ['constructor'], roles: ['__proto__', 'toString'] })).toEqual(explicit());
    expect(of(Object.create({ scope: '*' }))).toEqual(explicit());
  });

  it('are the roles that are members of an object', () => {
    const roles = ['urn:zitadel:iam:org:project:roles'];
    expect(of({ 'urn:zitadel:iam:org:project:roles': { reader: { '1': 'acme' }, x: {} } }, { roles })).toEqual({
      scopes: ['metrics', 'jobs'],
      roles: ['reader'],
    });
  });

  it('take bounded time for 10,000 roles', () => {
    const roles = [...Array.from({ length: 10_000 }, (_, index) => `r${index}`), 'reader'];
    expect(of({ roles }).roles).toEqual(['reader']);
  });
});

describe('roles that grant nothing', () => {
  function ignored(claims: object, changes: Partial<ClaimGrantSettings> = {}) {
    return createClaimGrants({ ...settings, ...changes }).ignoredRoles(claims as Record<string, unknown>);
  }

  it('are told with the claim that is in their way', () => {
    expect(ignored({ scope: 'openid', roles: ['Admin'] })).toEqual({
      roles: 'admin',
      why: 'the token has a scopes claim (scope) and grants is `first`',
    });
  });

  it('are told when nothing is mapped to them, and not all of a long list', () => {
    expect(ignored({ roles: ['reader', 'boss'] })?.roles).toBe('boss');
    expect(ignored({ roles: Array.from({ length: 100 }, (_, index) => `r${index}`) })?.roles).toMatch(/ and 80 more$/);
  });

  it('are none where all count, or there are none', () => {
    expect(ignored({ roles: ['reader'] })).toBeNull();
    expect(ignored({ scope: 'x' })).toBeNull();
  });
});
