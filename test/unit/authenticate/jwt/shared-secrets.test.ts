import { describe, expect, it } from 'vitest';
import { createFindSecret } from '../../../../lib/authenticate/jwt/shared-secrets.ts';
import { secretOctets, signature } from '../../../support/tokens.ts';

function octets(character: string) {
  return secretOctets(character.repeat(32));
}
async function hmac(secret: Uint8Array<ArrayBuffer>) {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await signature('HS256', key, 'text'));
}
const text = new TextEncoder().encode('text');

describe('shared secrets', () => {
  const find = createFindSecret([
    { id: 'current', octets: octets('a') },
    { id: 'previous', octets: octets('b') },
  ]);

  it('name the one that signed', async () => {
    expect(await find(await hmac(octets('a')), text)).toMatchObject({ keyId: 'current', algorithm: 'HS256' });
    expect(await find(await hmac(octets('b')), text)).toMatchObject({ keyId: 'previous' });
    expect(await find(await hmac(octets('c')), text)).toBeNull();
  });

  it('give the same key every time, never one that can be read out', async () => {
    const first = await find(await hmac(octets('a')), text);
    expect(await find(await hmac(octets('a')), text)).toBe(first);
    expect(first?.key.extractable).toBe(false);
  });

  it('have 32 bytes at least (RFC 7518 §3.2)', () => {
    const make = (length: number) => createFindSecret([{ id: 'current', octets: new Uint8Array(length) }]);
    expect(() => make(31)).toThrow('under 32 bytes');
    expect(() => make(32)).not.toThrow();
  });

  it('verify nothing but 32 bytes', async () => {
    const good = await hmac(octets('a'));
    expect(await find(good.subarray(0, 16), text)).toBeNull();
    expect(await find(new Uint8Array(0), text)).toBeNull();
  });
});
