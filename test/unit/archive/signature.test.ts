import { createHash } from 'node:crypto';
import { flattenedVerify, importJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { createSigner, createVerifier, type ManifestJwk, publicSigningJwk } from '../../../lib/archive/signature.ts';
import { otherJwk, signingJwk } from './fixtures.ts';

function bytes(text: string) {
  return new TextEncoder().encode(text);
}
const PAYLOAD = '{"type":"audit_manifest","text":"é"}';

async function ecKey(): Promise<ManifestJwk> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return { kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '', d: d ?? '' };
}

describe.each([
  ['EdDSA', async () => signingJwk],
  ['ES256', ecKey],
])('%s', (algorithm, make) => {
  test('a signed document verifies, and is a JWS with detached payload to anybody else', async () => {
    const jwk = await make();
    const file = await createSigner(jwk).sign('manifest', PAYLOAD);
    const verified = await createVerifier([await publicSigningJwk(jwk)]).verify('manifest', bytes(file));
    expect(verified).toMatchObject({ outcome: 'genuine', payload: PAYLOAD });

    const [payload = '', jws = ''] = file.split('\n');
    const [header = '', nothing, signature = ''] = jws.split('.');
    expect(nothing).toBe('');
    const { d: _private, ...publicJwk } = jwk;
    const detached = { protected: header, payload: Buffer.from(payload).toString('base64url'), signature };
    const { protectedHeader } = await flattenedVerify(detached, await importJWK(publicJwk, algorithm));
    expect(protectedHeader).toMatchObject({ alg: algorithm, typ: 'tgefd-audit-manifest' });
  });

  test('any change of payload, header or signature makes it forged or malformed', async () => {
    const jwk = await make();
    const verifier = createVerifier([jwk]);
    const file = await createSigner(jwk).sign('manifest', PAYLOAD);
    for (let place = 0; place < file.length; place++) {
      const changed = `${file.slice(0, place)}${file[place] === 'B' ? 'C' : 'B'}${file.slice(place + 1)}`;
      expect((await verifier.verify('manifest', bytes(changed))).outcome).not.toBe('genuine');
    }
  });
});

test('a key without kid goes by its RFC 7638 thumbprint', async () => {
  const { kid: _kid, ...bare } = signingJwk;
  const members = JSON.stringify({ crv: bare.crv, kty: bare.kty, x: bare.x });
  expect((await publicSigningJwk(bare)).kid).toBe(createHash('sha256').update(members).digest('base64url'));
});

test('the public half holds nothing private', async () => {
  expect(JSON.stringify(await publicSigningJwk(signingJwk))).not.toContain(signingJwk.d);
});

test('the algorithm of the key counts, not the one that a header names', async () => {
  const ec = { ...(await ecKey()), kid: 'k' };
  const ed = { ...(await otherJwk()), kid: 'k' };
  const file = await createSigner(ec).sign('manifest', PAYLOAD);
  expect((await createVerifier([ed]).verify('manifest', bytes(file))).outcome).toBe('forged');
});

test.each(['', 'no document', '{}\n', '{}\nnot.a.jws\n', '{}\na..b', '{}\n..\n', '\na..b\n'])(
  '%j is malformed',
  async (text) => {
    expect((await createVerifier([signingJwk]).verify('manifest', bytes(text))).outcome).toBe('malformed');
  },
);

test('a key of another kind is refused', () => {
  expect(() => createSigner({ kty: 'oct', k: 'AAAA' })).toThrow(RangeError);
});
