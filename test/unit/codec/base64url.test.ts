import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../../lib/codec/base64url.ts';

describe('base64url', () => {
  it('agrees with the platform on every octet sequence, both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url');
        expect(encodeBase64url(bytes)).toBe(text);
        expect(decodeBase64url(text)).toEqual(new Uint8Array(bytes));
      }),
      { seed: 7515 },
    );
  });

  it.each([
    ['padding', 'AA=='],
    ['the standard alphabet', 'ab+/'],
    ['whitespace', 'AA AA'],
    ['a line feed', 'AAAA\n'],
    ['a length no octets have', 'AAAAA'],
    ['leftover bits after one octet', 'AB'],
    ['leftover bits after two octets', 'AAB'],
    ['non-ASCII', 'AAĀA'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64url(text)).toBeNull();
  });

  it('reads nothing as no octets', () => {
    expect(decodeBase64url('')).toEqual(new Uint8Array(0));
  });
});
