import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadAssertionKey, parseAssertionKey } from '../../../lib/respond/assertion-key.ts';

async function privateJwk(algorithm: 'EdDSA' | 'ES256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return exportJWK(privateKey);
}

function parsed(jwk: object) {
  const answer = parseAssertionKey(JSON.stringify(jwk));
  if (!answer.ok) throw new Error(answer.problem);
  return answer.key;
}

let ed25519: JWK;
let p256: JWK;
beforeAll(async () => {
  ed25519 = await privateJwk('EdDSA');
  p256 = await privateJwk('ES256');
});

describe('parseAssertionKey', () => {
  test('takes Ed25519 as EdDSA and P-256 as ES256', () => {
    expect(parsed(ed25519).algorithm).toBe('EdDSA');
    expect(parsed({ ...p256, alg: 'ES256', use: 'sig', key_ops: ['sign'], kid: 'k1' })).toMatchObject({
      algorithm: 'ES256',
      kid: 'k1',
    });
  });

  test('keeps only the members of the key itself', () => {
    const { d, kty, crv, x } = ed25519;
    expect(parsed({ ...ed25519, x5c: ['…'], 'x-note': 'mine' }).jwk).toEqual({ d, kty, crv, x });
  });

  test('takes a public key where one only verifies, and never signs with it', async () => {
    const { d: _, ...half } = p256;
    const answer = parseAssertionKey(JSON.stringify(half), true);
    expect(answer).toMatchObject({ ok: true, key: { jwk: half } });
    expect(answer.ok && (await loadAssertionKey(answer.key))).toBeNull();
    expect(parseAssertionKey(JSON.stringify({ ...half, d: 'AAAA' }), true)).toMatchObject({ ok: false });
  });

  test.each<[string, (good: JWK, ec: JWK) => unknown, RegExp]>([
    ['text', () => undefined, /not JSON/],
    ['an array', (good) => [good], /not a JSON object/],
    ['null', () => null, /not a JSON object/],
    ['a public key', ({ d: _, ...rest }) => rest, /`d` is missing/],
    ['another curve', (_, ec) => ({ ...ec, crv: 'P-384' }), /`kty` and `crv`/],
    ['X25519', (good) => ({ ...good, crv: 'X25519' }), /`kty` and `crv`/],
    ['a symmetric key', () => ({ kty: 'oct', k: 'c2VjcmV0' }), /`kty` and `crv`/],
    ['a kty only the prototype has', (good) => ({ ...good, kty: undefined, __proto__: { kty: 'OKP' } }), /`kty` and/],
    ['a short d', (good) => ({ ...good, d: 'AAAA' }), /`d` is not base64url of 32 bytes/],
    ['set unused bits in x', (good) => ({ ...good, x: `${good.x?.slice(0, 42)}B` }), /`x` is not base64url/],
    ['a padded x', (good) => ({ ...good, x: `${good.x}=` }), /`x` is not base64url/],
    ['no y', (_, { y: __, ...ec }) => ec, /`y` is not base64url/],
    ['another alg', (good) => ({ ...good, alg: 'ES256' }), /`alg` is not `EdDSA`/],
    ['encryption use', (good) => ({ ...good, use: 'enc' }), /`use` is not `sig`/],
    ['key_ops without sign', (good) => ({ ...good, key_ops: ['verify'] }), /`key_ops` does not list `sign`/],
    ['an empty kid', (good) => ({ ...good, kid: '' }), /`kid` is not/],
    ['a kid with a line break', (good) => ({ ...good, kid: 'a\nb' }), /`kid` is not/],
  ])('refuses %s and tells no value', (_, spoil, problem) => {
    const jwk = spoil(ed25519, p256);
    const answer = parseAssertionKey(jwk === undefined ? 'not json' : JSON.stringify(jwk));
    expect(answer).toEqual({ ok: false, problem: expect.stringMatching(problem) });
    expect(JSON.stringify(answer)).not.toContain(ed25519.d);
  });
});

describe('loadAssertionKey', () => {
  test('keeps the private key where nothing can read it', async () => {
    for (const jwk of [ed25519, p256]) {
      expect(await loadAssertionKey(parsed(jwk))).toMatchObject({ privateKey: { extractable: false } });
    }
  });

  test('gives null for halves of two keys, and for a point off the curve', async () => {
    const other = await privateJwk('EdDSA');
    expect(await loadAssertionKey(parsed({ ...ed25519, d: other.d }))).toBeNull();
    expect(await loadAssertionKey(parsed({ ...p256, x: p256.y, y: p256.x }))).toBeNull();
  });
});
