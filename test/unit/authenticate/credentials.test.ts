import { describe, expect, it } from 'vitest';
import { createFindToken, findApiKey, maximumCredentialBytes } from '../../../lib/authenticate/credentials.ts';

const missing = { reason: 'credentials_missing' };
const duplicated = { reason: 'credentials_duplicated' };
const oversized = { reason: 'credentials_oversized' };
const usual = createFindToken({ header: 'authorization', prefix: 'bearer ', maximumBytes: 8192 });
function find(field: string | null, search = usual) {
  return search(new Headers(field === null ? {} : { authorization: field }));
}

describe('one token', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER abc', 'bEaReR abc', 'Bearer   abc'])(
    'is found in `%s` (RFC 9110 §11.1)',
    (field) => {
      expect(find(field)).toBe('abc');
    },
  );

  it.each([
    ['no field', null],
    ['an empty field', ''],
    ['the scheme alone', 'Bearer'],
    ['the scheme and a space', 'Bearer '],
    ['another scheme', 'Basic YWxpY2U6c2VjcmV0'],
    ['DPoP, which is another scheme', 'DPoP abc'],
    ['a longer scheme', 'BearerX abc'],
    ['no space', 'Bearerabc'],
    ['a tab', 'Bearer\tabc'],
    ['a bare token', 'abc'],
    ['a scheme with parameters', 'Digest username="alice", realm="bearer", uri="/"'],
  ])('is missing with %s', (_, field) => {
    expect(find(field)).toEqual(missing);
  });

  it.each([
    ['twice the same', 'Bearer abc, Bearer abc'],
    ['two tokens', 'Bearer abc,Bearer def'],
    ['another scheme after it', 'Bearer abc, Basic def'],
    ['another scheme before it (CVE-2025-64527)', 'Basic abc, Bearer def'],
    ['an empty one after it', 'Bearer abc, '],
    ['an empty one before it', ', Bearer abc'],
    ['empty tokens', 'Bearer , Bearer '],
    ['a JSON serialisation before it', 'Bearer {"payload":"e30"}, Bearer abc'],
  ])('is not one: %s', (_, field) => {
    const headers = { get: () => field, *[Symbol.iterator]() {} };
    expect(usual(headers)).toEqual(duplicated);
  });

  it('is missing in `Proxy-Authorization` (RFC 9449 §7.1)', () => {
    expect(usual(new Headers({ 'proxy-authorization': 'DPoP abc' }))).toEqual(missing);
    expect(usual(new Headers({ 'proxy-authorization': 'Bearer abc' }))).toEqual(missing);
  });

  it('is repeated whether one field or two carried it', () => {
    const headers = new Headers();
    headers.append('Authorization', 'Bearer abc');
    headers.append('Authorization', 'Bearer abc');
    expect(usual(headers)).toEqual(duplicated);
  });

  it('is given as it stands, for the token’s own checks to refuse', () => {
    expect(find('Bearer a b')).toBe('a b');
  });

  it('is one in the JSON serialisation, too, for its shape to be refused', () => {
    expect(find('Bearer {"payload":"e30","signatures":[]}')).toBe('{"payload":"e30","signatures":[]}');
  });

  it('may be 8 KiB long and no longer', () => {
    expect(find(`Bearer ${'a'.repeat(maximumCredentialBytes)}`)).toHaveLength(8192);
    expect(find(`Bearer ${'a'.repeat(maximumCredentialBytes + 1)}`)).toEqual(oversized);
    expect(find('x'.repeat(100_000))).toEqual(oversized);
  });

  it.each([
    ['Token', 'token abc'],
    ['Token ', 'TOKEN abc'],
    ['x-jwt', 'X-JWT abc'],
  ])('may have the prefix %j', (prefix, field) => {
    expect(find(field, createFindToken({ header: 'authorization', prefix, maximumBytes: 8192 }))).toBe('abc');
    expect(find('Bearer abc', createFindToken({ header: 'authorization', prefix, maximumBytes: 8192 }))).toEqual(
      missing,
    );
  });

  it.each(['', ' '])('is the whole field with the prefix %j', (prefix) => {
    const search = createFindToken({ header: 'x-token', prefix, maximumBytes: 8192 });
    const given = (field: string) => search(new Headers({ 'X-Token': field }));
    expect(given('abc')).toBe('abc');
    expect(given('abc, abc')).toEqual(duplicated);
    expect(given('')).toEqual(missing);
    expect(given('a'.repeat(8194))).toEqual(oversized);
    expect(search(new Headers({ authorization: 'Bearer abc' }))).toEqual(missing);
  });
});

describe('one API key', () => {
  const given = (headers: Record<string, string>) => findApiKey(new Headers(headers));

  it('comes from x-api-key and nowhere else', () => {
    expect(given({ 'X-API-Key': 'abc' })).toBe('abc');
    expect(given({ authorization: 'Bearer abc', 'api-key': 'abc', cookie: 'x-api-key=abc' })).toEqual(missing);
  });

  it('is one, and of bounded length', () => {
    expect(given({ 'x-api-key': 'abc, abc' })).toEqual(duplicated);
    expect(given({ 'x-api-key': '' })).toEqual(missing);
    expect(given({ 'x-api-key': 'a'.repeat(8193) })).toEqual(oversized);
  });
});
