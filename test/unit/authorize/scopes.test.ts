import { describe, expect, it } from 'vitest';
import { scopesIn } from '../../../lib/authorize/scopes.ts';

describe('scopes', () => {
  it.each([
    ['a', ['a']],
    ['a b', ['a', 'b']],
    ['a,b', ['a', 'b']],
    [' a ,  b,,c ', ['a', 'b', 'c']],
    ['a a b', ['a', 'b']],
    ['*', ['*']],
    ['https://graph.example/User.Read', ['https://graph.example/User.Read']],
    ['', []],
    [[], []],
    [
      ['a', 'b', 'a'],
      ['a', 'b'],
    ],
  ])('in %j are %j', (value, names) => {
    expect(scopesIn(value)).toEqual(names);
  });

  it.each([
    ['a\tb', []],
    ['a\nb c', ['c']],
    ['a"b', []],
    ['a\\b', []],
    ['é', []],
    ['a\0', []],
    [['read write'], []],
    [['a,b', 'c'], ['c']],
    [['', 'c'], ['c']],
  ])('in %j leave out what is no scope name: %j', (value, names) => {
    expect(scopesIn(value)).toEqual(names);
  });

  it.each([7, true, null, undefined, {}, { discover: true }, ['a', 1], ['a', null], [['a']], { length: 1, 0: 'a' }])(
    'are not in %j',
    (value) => {
      expect(scopesIn(value)).toEqual([]);
    },
  );
});
