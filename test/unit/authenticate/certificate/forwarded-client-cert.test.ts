import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseForwardedClientCert } from '../../../../lib/authenticate/certificate/forwarded-client-cert.ts';

describe('x-forwarded-client-cert', () => {
  it.each<[string, string, [string, string][][]]>([
    ['one pair', 'Hash=ab', [[['hash', 'ab']]]],
    [
      'what Envoy writes',
      'By=spiffe://a/fe;Hash=ab;Subject="CN=c,O=d;e=f";URI=spiffe://a/c?x=y',
      [
        [
          ['by', 'spiffe://a/fe'],
          ['hash', 'ab'],
          ['subject', 'CN=c,O=d;e=f'],
          ['uri', 'spiffe://a/c?x=y'],
        ],
      ],
    ],
    ['two proxies', 'Hash=ab,Hash=cd', [[['hash', 'ab']], [['hash', 'cd']]]],
    ['two fields joined', 'Hash=ab, Hash=cd', [[['hash', 'ab']], [['hash', 'cd']]]],
    [
      'keys in any case',
      'HASH=ab;uri=x',
      [
        [
          ['hash', 'ab'],
          ['uri', 'x'],
        ],
      ],
    ],
    [
      'empty values',
      'URI=;Subject="";Hash=ab',
      [
        [
          ['uri', ''],
          ['subject', ''],
          ['hash', 'ab'],
        ],
      ],
    ],
    ['escapes, kept', String.raw`Subject="CN=a\"b\,c\\"`, [[['subject', String.raw`CN=a\"b\,c\\`]]]],
  ])('reads %s', (_, text, elements) => {
    expect(parseForwardedClientCert(text)).toEqual(elements);
  });

  it.each([
    ['nothing', ''],
    ['a key alone', 'Hash'],
    ['no key', '=ab'],
    ['a separator at the end', 'Hash=ab;'],
    ['an element missing', 'Hash=ab,,Hash=cd'],
    ['a quote that never closes', 'Subject="CN=a'],
    ['a quote whose end is escaped', String.raw`Subject="CN=a\"`],
    ['text after a quote', 'Subject="CN=a"b'],
    ['a quote inside a plain value', 'URI=a"b'],
    ['a space inside a plain value', 'URI=a b'],
    ['a backslash outside of quotes', String.raw`URI=a\;b`],
  ])('refuses %s', (_, text) => {
    expect(parseForwardedClientCert(text)).toBeNull();
  });

  it('never throws, and gives back quoted values as they were', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseForwardedClientCert(text);
        const value = text.replace(/[\\"\n\r\u2028\u2029]/g, '');
        expect(parseForwardedClientCert(`Hash=ab;Subject="${value}"`)).toEqual([
          [
            ['hash', 'ab'],
            ['subject', value],
          ],
        ]);
      }),
      { seed: 9440 },
    );
  });
});
