import { describe, expect, it } from 'vitest';
import { createCheckApiKey } from '../../../lib/authenticate/api-key.ts';
import { createAuthenticator } from '../../../lib/authenticate/authenticate.ts';
import type { AccessRequest, Boundary } from '../../../lib/decision/request.ts';
import {
  context,
  createSigner,
  createVerifyToken,
  issuerOf,
  judge,
  keySetsOf,
  now,
  part,
  secretOctets,
  signWithSecret,
  tokenOf,
  tokenSettings,
} from '../../support/tokens.ts';

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

describe('inside workerd', () => {
  it.each(algorithms)(
    '%s verifies a token and refuses it with one bit changed, too short, too long or empty of meaning',
    async (algorithm) => {
      const signer = await createSigner(algorithm);
      const verify = createVerifyToken(
        { ...tokenSettings, algorithms },
        { keySets: keySetsOf([signer.verification]), secrets: [] },
      );
      const token = await tokenOf(signer);
      expect(await judge(verify, token)).toBe('verified');
      const [header, claims, text = ''] = token.split('.');
      const good = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
        character.charCodeAt(0),
      );
      const changed = Uint8Array.from(good);
      changed[9] = (changed[9] ?? 0) ^ 1;
      for (const bad of [
        changed,
        good.subarray(1),
        Uint8Array.from([0, ...good]),
        new Uint8Array(good.length),
        new Uint8Array(good.length).fill(255),
      ])
        expect(await judge(verify, `${header}.${claims}.${part(bad)}`)).toEqual({ reason: 'token_signature_invalid' });
    },
  );

  it('HS256 verifies with the configured secret', async () => {
    const octets = secretOctets('a secret of thirty-two bytes, ok');
    const verify = createVerifyToken(
      { ...tokenSettings, algorithms: ['HS256'] },
      { keySets: null, secrets: [{ id: 'current', octets }] },
    );
    expect(await judge(verify, await signWithSecret(octets, { alg: 'HS256' }))).toBe('verified');
    expect(await judge(verify, await signWithSecret(secretOctets('x'.repeat(32)), { alg: 'HS256' }))).toEqual({
      reason: 'token_signature_invalid',
    });
  });

  it('an API key is compared', async () => {
    const check = createCheckApiKey([{ id: 'alice', secret: 'a-key', slot: 'current' }]);
    expect([await check('a-key'), await check('a-kez')]).toEqual([{ id: 'alice', slot: 'current' }, null]);
  });

  it('invalid UTF-8 and a byte order mark are refused here too', async () => {
    const signer = await createSigner('ES256');
    const verify = createVerifyToken(tokenSettings, { keySets: keySetsOf([signer.verification]), secrets: [] });
    for (const bytes of [
      [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d],
      [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
    ])
      expect(await judge(verify, `${part({ alg: 'ES256' })}.${part(Uint8Array.from(bytes))}.AA`)).toEqual({
        reason: 'token_malformed',
        part: 'claims',
      });
  });

  it('a token verified before is answered without a promise', async () => {
    const signer = await createSigner('RS256');
    const authenticate = createAuthenticator(
      {
        mode: 'jwt',
        issuers: [issuerOf(tokenSettings, keySetsOf([signer.verification]))],
        maximumBytes: 8192,
        header: 'authorization',
        prefix: 'bearer ',
        cache: { maximumEntries: 10, maximumCharacters: 100_000 },
      },
      {
        clock: () => now * 1000,
        secrets: [],
        grants: { ofLists: () => ({ scopes: [], roles: [] }) },
        readCertificate: () => ({ found: 'none' }),
      },
    );
    const request: AccessRequest = {
      door: 'gateway',
      method: 'GET',
      target: '/',
      headers: new Headers({ authorization: `Bearer ${await tokenOf(signer)}` }),
      hop: { peerAddress: null, secure: true, certificate: null },
    };
    const present = () => authenticate(request, { ingressIdentity: null } as Boundary, context, true);
    await present();
    await present();
    expect(present()).toMatchObject({ outcome: 'authenticated', principal: { subject: 'alice' } });
  });
});
