import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, member, parseStrictJson, parseStrictJsonObject } from '../../../lib/codec/strict-json.ts';

function bytes(text: string) {
  return new TextEncoder().encode(text);
}

describe('strict JSON', () => {
  it('agrees with JSON.parse on everything that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
      { seed: 8259, numRuns: 500 },
    );
  });

  it.each([
    ['a name twice with one value', '{"a":1,"a":1}', undefined],
    ['a name twice, the second as an escape', '{"a":1,"\\u0061":1}', undefined],
    ['a name twice in an object inside', '{"a":{"b":1,"b":1}}', undefined],
    ['a name twice among white space', '{ "a": 1, "a": 1 }', undefined],
    ['names that look like indexes, out of order', '{"2":1,"1":2}', { 1: 2, 2: 1 }],
    ['a number in another spelling', '{"a":1.0,"b":-0}', { a: 1, b: -0 }],
    ['a method of the writer as a name', '{"toJSON":1}', { toJSON: 1 }],
    ['sixteen brackets in a string', `{"a":"${'['.repeat(16)}"}`, { a: '['.repeat(16) }],
  ])('reads %s as one reader only could', (_, text, value) => {
    expect(parseStrictJson(text)).toEqual(value);
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0e1n ') })),
        (text) => {
          parseStrictJson(text);
        },
      ),
      { seed: 8260, numRuns: 500 },
    );
  });

  it.each([
    ['at the top', '{"a":1,"a":1}'],
    ['spelled with an escape', '{"a":1,"\\u0061":2}'],
    ['inside', '{"cnf":{"b":1,"b":2}}'],
    ['inside an array', '{"x":[{"b":1},{"b":1,"b":2}]}'],
    ['called __proto__', '{"__proto__":1,"__proto__":2}'],
    ['after a string with an escaped quote', '{"s":"\\\\\\":{","a":1,"a":2}'],
  ])('refuses a duplicate member %s', (_, text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(parseStrictJson(text)).toBeUndefined();
  });

  it.each(['{"a:b":":"}', '{"a":"\\":\\""}', '{"\\\\":{"\\\\":1}}', '[":",{"a":[1,{"a":2}]}]'])(
    'is not misled by colons and quotes in strings: %s',
    (text) => {
      expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    },
  );

  it('refuses more than 16 levels, and a brace in a string is no level', () => {
    expect(parseStrictJson('['.repeat(16) + ']'.repeat(16))).toBeDefined();
    expect(parseStrictJson('['.repeat(17) + ']'.repeat(17))).toBeUndefined();
    expect(parseStrictJson('['.repeat(4000))).toBeUndefined();
    expect(parseStrictJson(JSON.stringify('{'.repeat(100)))).toBe('{'.repeat(100));
  });

  it.each(['null', '[]', '[{}]', '1', '"{}"', 'true', '', '{', '{}{}'])('takes %s for no object', (text) => {
    expect(parseStrictJsonObject(bytes(text))).toBeNull();
  });

  it('refuses invalid UTF-8, also where a lenient decoder would put U+FFFD', () => {
    expect(parseStrictJsonObject(bytes('{"a":"é"}'))).toEqual({ a: 'é' });
    expect(parseStrictJsonObject(Uint8Array.from([...bytes('{"a":"'), 0xc3, ...bytes('"}')]))).toBeNull();
    expect(parseStrictJsonObject(Uint8Array.from([...bytes('{"a":"'), 0xed, 0xa0, 0x80, ...bytes('"}')]))).toBeNull();
  });

  it('refuses a byte order mark', () => {
    expect(parseStrictJsonObject(bytes('\uFEFF{}'))).toBeNull();
  });

  it('reads members that the object has itself, and no others', () => {
    const object = parseStrictJsonObject(bytes('{"__proto__":{"admin":true},"a":1}')) ?? {};
    expect(member(object, 'admin')).toBeUndefined();
    expect(member(object, 'constructor')).toBeUndefined();
    expect(member(object, '__proto__')).toEqual({ admin: true });
    expect(member(object, 'a')).toBe(1);
    expect(isJsonObject(object)).toBe(true);
  });
});
