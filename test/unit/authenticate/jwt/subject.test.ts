import { describe, expect, it } from 'vitest';
import { isSubject } from '../../../../lib/authenticate/jwt/subject.ts';

describe('subject', () => {
  it.each(['alice', 'a', 'spiffe://example.org/web', 'CN=alice,O=Example', 'Zoë', '日本', 'a b', 'a'.repeat(512)])(
    'can be %s',
    (text) => {
      expect(isSubject(text)).toBe(true);
    },
  );

  it.each([
    ['empty', ''],
    ['too long', 'a'.repeat(513)],
    ['with a line feed', 'alice\nroot'],
    ['with a carriage return', 'alice\rroot'],
    ['with a NUL', 'alice\0'],
    ['with DEL', 'alice\x7f'],
    ['with a C1 control', 'alice\x85x'],
    ['with a line separator', 'alice\u2028root'],
    ['with a space before, which a header field would lose', ' admin'],
    ['with a space after', 'admin '],
    ['with a no-break space after', 'admin\u00a0'],
    ['with half a surrogate pair', 'alice\ud800'],
    ['a number', 1],
    ['null', null],
    ['an array', ['alice']],
    ['an object', { toString: () => 'alice' }],
    ['absent', undefined],
  ])('cannot be %s', (_, value) => {
    expect(isSubject(value)).toBe(false);
  });
});
