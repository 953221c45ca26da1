import { describe, expect, it } from 'vitest';
import { roleScopes, rolesIn } from '../../../lib/authorize/roles.ts';

const settings = { admin: ['*'], analyst: ['*'], reader: ['jobs'] };
const known = roleScopes(settings, 'revoke', [{ 'Data Analyst': ['discover'] }]);

describe('roles', () => {
  it.each<[value: unknown, names: readonly string[]]>([
    ['Admin', ['admin']],
    [' admin ', ['admin']],
    ['Admin reader,ANALYST', ['admin', 'reader', 'analyst']],
    ['data analyst', ['data analyst']],
    ['', []],
    [
      ['Admin', 'not reader'],
      ['admin', 'not reader'],
    ],
    [[], []],
    [{ Reader: { '1': 'acme.example' } }, ['reader']],
    [7, []],
    [true, []],
    [null, []],
    [undefined, []],
    [['admin', 1], []],
    [[['admin']], []],
  ])('in %j are %j', (value, names) => {
    expect(rolesIn(value, known)).toEqual(names);
  });

  it('hold the revoking scope by name where admin holds everything, and nowhere else', () => {
    expect([...roleScopes(settings, 'revoke')]).toEqual([
      ['admin', ['*', 'revoke']],
      ['analyst', ['*']],
      ['reader', ['jobs']],
    ]);
    expect(roleScopes({ ...settings, admin: ['discover'] }, 'revoke').get('admin')).toEqual(['discover']);
    expect(roleScopes({ ...settings, admin: ['*', 'revoke'] }, 'revoke').get('admin')).toEqual(['*', 'revoke']);
  });

  it('of further maps add to the three and to each other, in any letter case', () => {
    const scopes = roleScopes(settings, 'revoke', [{ Reader: ['a'], boss: ['*'] }, { BOSS: ['b'] }]);
    expect(scopes.get('reader')).toEqual(['jobs', 'a']);
    expect(scopes.get('boss')).toEqual(['*', 'b']);
  });

  it('name scopes and never each other, so that a circle of roles grants only its names', () => {
    const scopes = roleScopes(settings, 'revoke', [{ a: ['b'], b: ['a', 'admin'] }]);
    expect(scopes.get('a')).toEqual(['b']);
    expect(scopes.get('b')).toEqual(['a', 'admin']);
  });
});
