import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signatureAlgorithms, verifySignature } from '../../../../lib/authenticate/jwt/algorithms.ts';
import { hmacOnNode, verifyOnNode } from '../../../../lib/platform/node/crypto.ts';
import { createSigner, signature } from '../../../support/tokens.ts';

const signed = new TextEncoder().encode('header.claims');
const publicKeyAlgorithms = [...signatureAlgorithms].filter(([, { keyType }]) => keyType !== 'oct');

describe.each(publicKeyAlgorithms)('%s verified by Node itself', (name, algorithm) => {
  it('is what Web Cryptography signed, and nothing bent, cut or moved', async () => {
    const signer = await createSigner(name);
    const other = await createSigner(name);
    const good = new Uint8Array(await signature(name, signer.privateKey, 'header.claims'));
    const verify = (key: CryptoKey, bytes: Uint8Array<ArrayBuffer>, text = signed) =>
      verifySignature(key, algorithm, bytes, text, verifyOnNode);
    const bent = good.slice();
    bent[bent.length >> 1] = (bent[bent.length >> 1] ?? 0) ^ 1;

    expect(await verify(signer.publicKey, good)).toBe(true);
    expect(await verify(other.publicKey, good)).toBe(false);
    expect(await verify(signer.publicKey, bent)).toBe(false);
    expect(await verify(signer.publicKey, good, signed.slice(1))).toBe(false);
    expect(await verify(signer.publicKey, good.slice(1))).toBe(false);
    expect(await verify(signer.publicKey, new Uint8Array(good.length))).toBe(false);
    expect(await verify(signer.publicKey, new Uint8Array(good.length).fill(255))).toBe(false);
  });
});

it('does not take a signature of one RSA padding, or of another digest, for that of its own', async () => {
  const families = publicKeyAlgorithms.filter(([, { keyType }]) => keyType === 'RSA');
  for (const [name, algorithm] of families) {
    const signer = await createSigner(name);
    const good = new Uint8Array(await signature(name, signer.privateKey, 'header.claims'));
    for (const [otherName, other] of families) {
      const verdict = await verifySignature(signer.publicKey, other, good, signed, verifyOnNode);
      expect(verdict, `${name} as ${otherName}`).toBe(other === algorithm);
    }
  }
});

it('demands the salt of RFC 7518 §3.5: as long as the hash', async () => {
  const ps256 = signatureAlgorithms.get('PS256');
  if (!ps256) throw new Error('no PS256');
  const { privateKey, publicKey } = await createSigner('PS256');
  const parameters = { name: 'RSA-PSS', saltLength: 20 };
  const short = new Uint8Array(await crypto.subtle.sign(parameters, privateKey, signed));
  expect(await verifySignature(publicKey, ps256, short, signed, verifyOnNode)).toBe(false);
});

it('makes the HMAC that Web Cryptography makes', () => {
  const expected = createHmac('sha256', Buffer.from('k'.repeat(32)))
    .update(Buffer.from('tëxt'))
    .digest('hex');
  expect(Buffer.from(hmacOnNode('k'.repeat(32), 'tëxt')).toString('hex')).toBe(expected);
});
