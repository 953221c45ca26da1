import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenCache } from '../../../../../lib/authenticate/jwt/known/token-cache.ts';

function token(id: number | string, length = 40) {
  return `${id}`.padStart(length, '-');
}
const limits = { maximumEntries: 8, maximumCharacters: 100_000 };
function cacheOf(settings = limits) {
  const cache = createTokenCache<{ token: string; id: number | string }>(settings);
  return {
    ...cache,
    twice(id: number | string, length?: number) {
      cache.sighted({ token: token(id, length), id });
      cache.sighted({ token: token(id, length), id });
    },
  };
}

describe('token cache', () => {
  it('admits a token on its second sighting', () => {
    const cache = cacheOf();
    cache.sighted({ token: token(1), id: 1 });
    expect(cache.find(token(1))).toBeUndefined();
    cache.sighted({ token: token(1), id: 1 });
    expect(cache.find(token(1))).toMatchObject({ id: 1 });
  });

  it('finds exactly the token, not another with the same signature tail (CVE-2026-35039)', () => {
    const cache = cacheOf();
    cache.twice('a.signature-of-a');
    const other = `b.signature-of-a`.padStart(40, '-');
    expect(other.slice(-12)).toBe(token('a.signature-of-a').slice(-12));
    expect(cache.find(other)).toBeUndefined();
    expect(cache.find(`${token('a.signature-of-a')}`)).toBeDefined();
    expect(cache.find(`x${token('a.signature-of-a')}`)).toBeUndefined();
    cache.drop(other);
    expect(cache.find(token('a.signature-of-a'))).toBeDefined();
  });

  it('finds exactly the token in its old generation as well', () => {
    const cache = cacheOf();
    cache.twice('a.signature-of-a');
    for (let id = 1; id < 5; id++) cache.twice(id);
    expect(cache.find('b.signature-of-a'.padStart(40, '-'))).toBeUndefined();
    expect(cache.find(token('a.signature-of-a'))).toMatchObject({ id: 'a.signature-of-a' });
  });

  it('forgets what is dropped, in either generation', () => {
    const cache = cacheOf();
    cache.twice(1);
    cache.drop(token(1));
    expect(cache.find(token(1))).toBeUndefined();
    cache.twice(1);
    for (let id = 2; id < 6; id++) cache.twice(id);
    cache.drop(token(1));
    expect(cache.find(token(1))).toBeUndefined();
  });

  it('keeps what is in use and forgets the rest', () => {
    const cache = cacheOf();
    cache.twice('used');
    for (let id = 0; id < 100; id++) {
      cache.twice(id);
      expect(cache.find(token('used'))).toBeDefined();
    }
    expect(cache.find(token(0))).toBeUndefined();
  });

  it('never holds more tokens or characters than it may', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 20, max: 60 })), { maxLength: 200 }), (sightings) => {
        const cache = cacheOf({ maximumEntries: 6, maximumCharacters: 200 });
        for (const [id, length] of sightings) cache.twice(id, length);
        const held = sightings.filter(([id, length]) => cache.find(token(id, length)));
        const tokens = [...new Set(held.map(([id, length]) => token(id, length)))];
        expect(tokens.length).toBeLessThanOrEqual(6);
        expect(tokens.join('').length).toBeLessThanOrEqual(200);
      }),
      { seed: 7519 },
    );
  });

  it('refuses a token that is longer than everything it may hold', () => {
    const cache = cacheOf({ maximumEntries: 8, maximumCharacters: 100 });
    cache.twice(1, 51);
    expect(cache.find(token(1, 51))).toBeUndefined();
  });

  it('remembers a bounded number of single sightings', () => {
    const cache = cacheOf();
    cache.sighted({ token: token('first'), id: 'first' });
    for (let id = 0; id < 8; id++) cache.sighted({ token: token(id), id });
    cache.sighted({ token: token('first'), id: 'first' });
    expect(cache.find(token('first'))).toBeUndefined();
  });
});
