import { describe, expect, it } from 'vitest';
import {
  compileClaimTest,
  listedNames,
  listedRoles,
  scalarText,
  type WantedValue,
  wantedValueFault,
} from '../../../lib/codec/claim-values.ts';

describe('testing a claim', () => {
  it.each<[wanted: WantedValue | readonly WantedValue[], value: unknown, holds: boolean]>([
    ['a', 'a', true],
    ['a', 'A', false],
    ['a', 'ab', false],
    ['a', undefined, false],
    ['a', null, false],
    ['a', { a: 1 }, false],
    ['a', ['b', 'a'], true],
    ['a', ['b', ['a']], false],
    ['a', [], false],
    [['a', 'b'], 'b', true],
    [['a', 'b'], ['c'], false],
    [42, 42, true],
    ['42', 42, true],
    [42, '42', true],
    ['1e3', 1000, false],
    [1e3, '1000', true],
    [true, true, true],
    [true, 'false', false],
    ['repo:octo-org/*', 'repo:octo-org/app:ref', true],
    ['repo:octo-org/*', 'repo:octo-org', false],
    ['repo:octo-org/*', ['x', 'repo:octo-org/b'], true],
    ['*', 'anything', true],
    ['*', undefined, false],
    ['*', {}, false],
  ])('%j with %j: %j', (wanted, value, holds) => {
    expect(compileClaimTest(wanted).holds(value)).toBe(holds);
  });

  it('tells what is wanted', () => {
    expect(compileClaimTest(['a', 'b*']).wanted).toBe('a or b*');
  });

  it.each<[value: WantedValue, valid: boolean]>([
    ['a', true],
    ['a*', true],
    ['*', true],
    ['', false],
    ['a*b', false],
    ['**', false],
    [1, true],
    [Number.NaN, false],
    [false, true],
  ])('a wanted value %j is valid: %j', (value, valid) => {
    expect(wantedValueFault(value) === null).toBe(valid);
  });
});

describe('names that a claim lists', () => {
  it.each<[value: unknown, names: readonly string[]]>([
    ['read write', ['read', 'write']],
    ['read,write, delete', ['read', 'write', 'delete']],
    [' read  read ', ['read']],
    ['', []],
    [
      ['read write', 'x'],
      ['read write', 'x'],
    ],
    [['read', 3], []],
    [['read', null], []],
    [3, []],
    [null, []],
    [undefined, []],
    [true, []],
    [{ read: true }, []],
  ])('%j lists %j', (value, names) => {
    expect(listedNames(value)).toEqual(names);
  });

  it('takes the members of an object for roles', () => {
    expect(listedRoles({ reader: { '1': 'a.example' }, '': 1 })).toEqual(['reader']);
    expect(listedRoles('reader,admin')).toEqual(['reader', 'admin']);
    expect(listedRoles(null)).toEqual([]);
  });

  it('lists 10,000 roles once each', () => {
    const roles = Array.from({ length: 10_000 }, (_, index) => `r${index % 5_000}`);
    expect(listedNames(roles)).toHaveLength(5_000);
  });
});

it.each<[value: unknown, text: string | null]>([
  ['a', 'a'],
  [1.5, '1.5'],
  [false, 'false'],
  [null, null],
  [[], null],
  [Number.POSITIVE_INFINITY, null],
])('%j as text is %j', (value, text) => {
  expect(scalarText(value)).toBe(text);
});
