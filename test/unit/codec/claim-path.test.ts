import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimPathFault, compileClaimPath } from '../../../lib/codec/claim-path.ts';

const claims = {
  roles: ['reader'],
  realm_access: { roles: ['analyst'], 'a/b': { '~': 'tilde' } },
  'https://example.com/roles': ['writer'],
  'a.b': 'exact',
  a: { b: 'nested' },
  '/x': 'slash',
  x: 'plain',
  'kubernetes.io': { namespace: 'web' },
  nothing: null,
  'n.m': null,
  n: { m: 'shadowed' },
  list: [{ name: 'first' }, 'second'],
  text: 'abc',
  '': { '': 'empty names' },
};

describe('reading a claim path', () => {
  it.each<[path: string, value: unknown]>([
    ['roles', ['reader']],
    ['realm_access.roles', ['analyst']],
    ['/realm_access/roles', ['analyst']],
    ['/realm_access/a~1b/~0', 'tilde'],
    ['https://example.com/roles', ['writer']],
    ['a.b', 'exact'],
    ['/a/b', 'nested'],
    ['/x', 'slash'],
    ['/kubernetes.io/namespace', 'web'],
    ['/list/0/name', 'first'],
    ['/list/1', 'second'],
    ['//', 'empty names'],
  ])('%s gives the value', (path, value) => {
    expect(compileClaimPath(path).read(claims)).toEqual(value);
  });

  it.each([
    'missing',
    'roles.0',
    'realm_access.missing',
    'kubernetes.io.namespace',
    'nothing',
    'n.m',
    'text.length',
    '/text/0',
    '/text/length',
    '/list/length',
    '/list/-',
    '/list/00',
    '/list/2',
    '/list/1/0',
    'constructor',
    'constructor.name',
    '/__proto__/constructor',
    'a.constructor',
    'toString',
  ])('%s gives nothing', (path) => {
    expect(compileClaimPath(path).read(claims)).toBeUndefined();
  });

  it('reads a member that is named __proto__ only when the claims set has it itself', () => {
    const own = JSON.parse('{"__proto__": {"roles": ["admin"]}}');
    expect(compileClaimPath('__proto__.roles').read(own)).toEqual(['admin']);
    expect(compileClaimPath('__proto__.roles').read({})).toBeUndefined();
  });
});

describe('texts that are no claim path', () => {
  it.each([
    '',
    ' roles',
    'ro\nles',
    '$.realm_access.roles',
    "$['roles']",
    'roles[0]',
    'roles[*]',
    'realm_access.*',
    'scp,permissions',
    'a..b',
    '.a',
    'a.',
    '/a~b',
    '/a~2',
    'x'.repeat(513),
    'a.'.repeat(20).slice(0, -1),
    '/a'.repeat(17),
  ])('%j is refused', (text) => {
    expect(claimPathFault(text)).not.toBeNull();
    expect(() => compileClaimPath(text)).toThrow(RangeError);
  });

  it.each(['sub', 'cognito:groups', 'https://example.com/roles', 'urn:zitadel:iam:org:project:roles', '/', 'a b'])(
    '%j is accepted',
    (text) => {
      expect(claimPathFault(text)).toBeNull();
    },
  );
});

describe('any path over any claims set', () => {
  it('never throws, and finds exactly what a pointer was made for', () => {
    const name = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('__proto__', 'constructor', 'a.b', '/', '~', '~1'),
    );
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), fc.string(), (names, value) => {
        const escaped = names.map((each) => each.replaceAll('~', '~0').replaceAll('/', '~1'));
        const pointer = `/${escaped.join('/')}`;
        fc.pre(claimPathFault(pointer) === null && names[0] !== undefined);
        const nested = names.reduceRight<unknown>((inner, each) => Object.fromEntries([[each, inner]]), value);
        fc.pre(!Object.hasOwn(nested as object, pointer));
        expect(compileClaimPath(pointer).read(nested as Record<string, unknown>)).toBe(value);
      }),
    );
  });

  it('answers for odd values without throwing', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (text, any) => {
        if (claimPathFault(text) !== null) return;
        const found = compileClaimPath(text).read(any);
        expect(found).not.toBeNull();
      }),
    );
  });
});
