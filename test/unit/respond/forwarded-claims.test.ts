import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../lib/decision/principal.ts';
import { compileForwardedClaims, parseForwardClaims } from '../../../lib/respond/forwarded-claims.ts';

function principal(claims: Record<string, unknown> | null): Principal {
  return { method: 'jwt', claims } as unknown as Principal;
}

describe('the document', () => {
  it('names a field for each claim', () => {
    expect(parseForwardClaims({ tenant: 'X-Auth-Request-Tenant', 'a.b': 'x-auth-request-a-b' }, [])).toEqual({
      claims: [
        { path: 'tenant', field: 'x-auth-request-tenant' },
        { path: 'a.b', field: 'x-auth-request-a-b' },
      ],
      problems: [],
    });
  });

  it.each([
    ['a list', [], 'something else than an object'],
    ['another field', { tenant: 'x-tenant' }, 'a fault in member "tenant"'],
    ['no name', { tenant: 'x-auth-request-' }, 'a fault in member "tenant"'],
    ['a spelling with _', { tenant: 'x-auth-request-a_b' }, 'a fault in member "tenant"'],
    ['a claim path of another language', { '$.a': 'x-auth-request-a' }, 'a fault in member "$.a"'],
    ['the user', { sub: 'x-auth-request-user' }, '`x-auth-request-user`, which carries the identity'],
    ['the issuer', { iss: 'X-Auth-Request-Issuer' }, '`x-auth-request-issuer`, which carries the identity'],
    ['a configured name', { sub: 'x-auth-request-email' }, '`x-auth-request-email`, which carries the identity'],
    ['one field twice', { a: 'x-auth-request-a', b: 'x-auth-request-A' }, '`x-auth-request-a` for two claims'],
    [
      'one context name twice',
      { a: 'x-auth-request-a-1', b: 'x-auth-request-a1' },
      '`x-auth-request-a1` for two claims',
    ],
  ])('refuses %s', (_, document, problem) => {
    expect(parseForwardClaims(document, ['x-auth-request-email'])).toEqual({ claims: [], problems: [problem] });
  });

  it('refuses more claims than anybody needs', () => {
    const document = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`c${at}`, `x-auth-request-c${at}`]));
    expect(parseForwardClaims(document, []).problems).toEqual(['33 claims; at most 32 are forwarded']);
  });
});

describe('what goes upstream', () => {
  const field = 'x-auth-request-x';
  function upstream(value: unknown) {
    return compileForwardedClaims([{ path: 'x', field }])?.(principal({ x: value }));
  }
  it.each([
    ['text', 'text'],
    ['two words', 'two words'],
    [7, '7'],
    [true, 'true'],
    [['a', 2, false], 'a,2,false'],
    [['a,b', 'c'], 'a%2Cb,c'],
    ['ü%', '%C3%BC%25'],
    ['a\r\nx-admin: 1', 'a%0D%0Ax-admin: 1'],
    ['x'.repeat(2049), ''],
    [{ a: 1 }, ''],
    [[['a']], ''],
    [[], ''],
    [null, ''],
    [undefined, ''],
  ])('%j becomes %j', (value, text) => {
    expect(upstream(value)?.fields).toEqual([[field, text]]);
  });

  it('carries the claims that are present as they are, by their path', () => {
    const claims = compileForwardedClaims([
      { path: 'org.team', field },
      { path: 'nobody', field: 'x-auth-request-y' },
      { path: 'roles', field: 'x-auth-request-z' },
    ]);
    const told = claims?.(principal({ org: { team: 'ops' }, roles: { a: 1 } }));
    expect(told?.claims).toEqual({ 'org.team': 'ops', roles: { a: 1 } });
    expect(claims?.(principal(null))).toEqual({
      fields: [
        [field, ''],
        ['x-auth-request-y', ''],
        ['x-auth-request-z', ''],
      ],
      claims: {},
    });
    expect(claims?.(null)?.claims).toEqual({});
  });

  it('is nothing where nothing is configured, and is worked out once for a principal', () => {
    expect(compileForwardedClaims([])).toBeNull();
    const claims = compileForwardedClaims([{ path: 'x', field }]);
    const caller = principal({ x: 1 });
    expect(claims?.(caller)).toBe(claims?.(caller));
  });
});
