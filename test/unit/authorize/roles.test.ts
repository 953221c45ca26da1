import { describe, expect, it } from 'vitest';
import { roleScopes, rolesIn } from '../../../lib/authorize/roles.ts';

describe('roles', () => {
  it.each([
    ['Admin', false, ['admin']],
    [' admin ', false, ['admin']],
    ['not admin', false, ['not admin']],
    ['admin,reader', false, ['admin,reader']],
    ['Admin reader,ANALYST', true, ['admin', 'reader', 'analyst']],
    ['', false, []],
    ['', true, []],
    [['Admin', 'not reader'], false, ['admin', 'not reader']],
    [['Admin', 'not reader'], true, ['admin', 'not reader']],
    [[], true, []],
  ])('in %j (list: %j) are %j', (value, list, names) => {
    expect(rolesIn(value, list)).toEqual(names);
  });

  it.each([7, true, null, undefined, {}, { admin: true }, ['admin', 1], [['admin']]])('are not in %j', (value) => {
    expect(rolesIn(value, false)).toBeNull();
    expect(rolesIn(value, true)).toBeNull();
  });

  it('hold the revoking scope by name where admin holds everything, and nowhere else', () => {
    const settings = { admin: ['*'], analyst: ['*'], reader: ['jobs'] };
    expect([...roleScopes(settings, 'revoke')]).toEqual([
      ['admin', ['*', 'revoke']],
      ['analyst', ['*']],
      ['reader', ['jobs']],
    ]);
    expect(roleScopes({ ...settings, admin: ['discover'] }, 'revoke').get('admin')).toEqual(['discover']);
    expect(roleScopes({ ...settings, admin: ['*', 'revoke'] }, 'revoke').get('admin')).toEqual(['*', 'revoke']);
  });
});
