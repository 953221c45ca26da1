import { expect, it } from 'vitest';
import { rawFields } from '../../../lib/request/raw-fields.ts';

const fields = rawFields(['Host', 'a.example', 'X-One', '1', 'x-two', '', 'X-ONE', '2', 'Odd']);

it('finds a field by its name in any letter case', () => {
  expect(fields.get('HOST')).toBe('a.example');
  expect(fields.get('x-two')).toBe('');
  expect(fields.get('x-three')).toBeNull();
});

it('joins a repeated field in order of arrival and tells how often it came', () => {
  expect(fields.get('x-one')).toBe('1, 2');
  expect(fields.times?.('X-One')).toBe(2);
  expect(fields.times?.('x-three')).toBe(0);
});

it('gives every field with its name in lower case, and leaves out a name without a value', () => {
  expect([...fields]).toEqual([
    ['host', 'a.example'],
    ['x-one', '1'],
    ['x-two', ''],
    ['x-one', '2'],
  ]);
});
