import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldValue } from '../../../lib/respond/field-value.ts';

describe('an identity as a field value', () => {
  test.each([
    ['alice', 'alice'],
    ['auth0|5f7c', 'auth0|5f7c'],
    ['CN=web,O=Example Org', 'CN=web,O=Example Org'],
    ['a%C3', 'a%25C3'],
    ['é', '%C3%A9'],
    ['a\r\nx-admin: true', 'a%0D%0Ax-admin: true'],
    [' edge ', '%20edge%20'],
    ['', ''],
  ])('%j becomes %j', (value, expected) => {
    expect(fieldValue(value)).toBe(expected);
  });

  test('never holds a byte that ends a field, and never makes two identities one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        fc.pre(one.isWellFormed() && other.isWellFormed());
        expect(fieldValue(one)).toMatch(/^[\x20-\x7e]*$/);
        if (one !== other) expect(fieldValue(one)).not.toBe(fieldValue(other));
      }),
      { seed: 1 },
    );
  });
});
