import { describe, expect, it, vi } from 'vitest';
import {
  keyMisfit,
  sameAlgorithm,
  signatureAlgorithms,
  verifySignature,
} from '../../../../lib/authenticate/jwt/algorithms.ts';
import { createSigner, signature } from '../../../support/tokens.ts';

const names = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const text = 'what is signed';
const signed = new TextEncoder().encode(text);

describe('signature algorithms', () => {
  it('are the contract’s, and none of them is `none`', () => {
    expect([...signatureAlgorithms.keys()]).toEqual(['HS256', ...names]);
  });

  it.each(names)('%s verifies what its key has signed, all of it and nothing else', async (name) => {
    const algorithm = signatureAlgorithms.get(name);
    if (!algorithm) throw new Error(name);
    const { privateKey, publicKey } = await createSigner(name);
    const good = new Uint8Array(await signature(name, privateKey, text));
    expect(keyMisfit(publicKey, algorithm)).toBeNull();
    expect(await verifySignature(publicKey, algorithm, good, signed)).toBe(true);
    expect(await verifySignature(publicKey, algorithm, good, signed.subarray(1))).toBe(false);
    expect(await verifySignature(publicKey, algorithm, good.subarray(1), signed)).toBe(false);
    expect(await verifySignature(publicKey, algorithm, new Uint8Array(0), signed)).toBe(false);
    for (const at of [0, good.length >> 1, good.length - 1]) {
      const bad = Uint8Array.from(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect(await verifySignature(publicKey, algorithm, bad, signed)).toBe(false);
    }
  });

  it.each(names)('a key for %s fits no other algorithm', async (name) => {
    const { publicKey } = await createSigner(name);
    for (const [other, algorithm] of signatureAlgorithms)
      expect(keyMisfit(publicKey, algorithm) === null, `${name} for ${other}`).toBe(sameAlgorithm(other, name));
  });

  it('a secret fits HS256 alone, and only to verify', async () => {
    const make = (usages: KeyUsage[], hash = 'SHA-256') =>
      crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash }, false, usages);
    const hs256 = signatureAlgorithms.get('HS256');
    if (!hs256) throw new Error('HS256');
    expect(keyMisfit(await make(['verify']), hs256)).toBeNull();
    expect(keyMisfit(await make(['sign']), hs256)).toBe('key_ops');
    expect(keyMisfit(await make(['verify'], 'SHA-512'), hs256)).toBe('alg');
  });

  it('no runtime is even asked about a signature of another length than its algorithm’s', async () => {
    const lenient = vi.spyOn(crypto.subtle, 'verify').mockResolvedValue(true);
    for (const name of names) {
      const algorithm = signatureAlgorithms.get(name);
      if (!algorithm) throw new Error(name);
      const { publicKey } = await createSigner(name);
      const length = algorithm.signatureBytes ?? 256;
      expect(await verifySignature(publicKey, algorithm, new Uint8Array(length), signed)).toBe(true);
      for (const other of [0, 1, length - 1, length + 1, 2 * length])
        expect(await verifySignature(publicKey, algorithm, new Uint8Array(other), signed)).toBe(false);
    }
    lenient.mockRestore();
  });

  it('a runtime that throws on a signature has not verified it', async () => {
    const { publicKey } = await createSigner('ES256');
    const eddsa = signatureAlgorithms.get('EdDSA');
    if (!eddsa) throw new Error('EdDSA');
    expect(await verifySignature(publicKey, eddsa, new Uint8Array(64), signed)).toBe(false);
  });
});
