import { base64url, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createNonces } from '../../../../lib/authenticate/dpop/nonce.ts';
import { createCheckProof, type ProofDemand, tokenHashOf } from '../../../../lib/authenticate/dpop/proof.ts';
import { canonicalTarget } from '../../../../lib/request/path.ts';
import { createProvingClient, type ProvingClient } from '../../../support/proofs.ts';

const nowSeconds = 1_800_000_000;
const token = 'a.b.c';
const uri = 'https://api.example.com/v1/jobs/42';

function canonicalPath(target: string): string | null {
  const canonical = canonicalTarget(target);
  return canonical.ok ? canonical.path : null;
}

const settings = { maximumAgeSeconds: 60, clockSkewSeconds: 10 };
const check = createCheckProof(settings, { canonicalPath, nonces: null });
let client: ProvingClient;
let demand: ProofDemand;

beforeAll(async () => {
  client = await createProvingClient();
  demand = {
    method: 'GET',
    target: { secure: true, host: 'api.example.com', path: '/v1/jobs/42' },
    tokenHash: await tokenHashOf(token),
    thumbprint: client.thumbprint,
    nowMs: nowSeconds * 1000,
  };
});

type Change = Parameters<ProvingClient['prove']>[0];
function prove(change: Change = {}) {
  return client.prove({ uri, token, nowSeconds, ...change });
}

async function checkOf(field: string | null) {
  const checked = await check(field, demand);
  return 'reason' in checked && 'check' in checked ? checked.check : checked;
}

describe('a proof of possession', () => {
  it.each(['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'])(
    'counts when it is made for the request, with %s',
    async (algorithm) => {
      const other = await createProvingClient(algorithm);
      const proof = await other.prove({ uri, token, nowSeconds });
      const checked = await check(proof, { ...demand, thumbprint: other.thumbprint });
      expect(checked).toEqual({ key: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), lifetimeMs: 75_000 });
    },
  );

  it('has one name in a store for its key and id, and another for another id', async () => {
    const [one, again, other] = await Promise.all(
      ['a', 'a', 'b'].map(async (jti) => check(await prove({ claims: { jti } }), demand)),
    );
    expect(one).toEqual(again);
    expect(one).not.toEqual(other);
  });

  it.each<[string, Change, string]>([
    ['the type of an access token', { header: { typ: 'at+jwt' } }, 'typ'],
    ['no type', { header: { typ: undefined } }, 'typ'],
    ['an extension that nobody understands', { header: { crit: ['exp'], exp: 1 } }, 'crit'],
    ['no key', { header: { jwk: undefined } }, 'jwk'],
    ['another method', { claims: { htm: 'POST' } }, 'htm'],
    ['the method in lower case', { claims: { htm: 'get' } }, 'htm'],
    ['no method', { claims: { htm: undefined } }, 'htm'],
    ['another path', { uri: 'https://api.example.com/v1/jobs/43' }, 'htu'],
    ['another host', { uri: 'https://evil.example.com/v1/jobs/42' }, 'htu'],
    ['plain HTTP', { uri: 'http://api.example.com/v1/jobs/42' }, 'htu'],
    ['a URI that is a number', { claims: { htu: 42 } }, 'htu'],
    ['another token', { token: 'd.e.f' }, 'ath'],
    ['no token', { claims: { ath: undefined } }, 'ath'],
    ['no id', { claims: { jti: undefined } }, 'jti'],
    ['an empty id', { claims: { jti: '' } }, 'jti'],
    ['an id of 1025 characters', { claims: { jti: 'x'.repeat(1025) } }, 'jti'],
    ['an id that is a number', { claims: { jti: 7 } }, 'jti'],
    ['no time', { claims: { iat: undefined } }, 'iat'],
    ['a time that is text', { claims: { iat: String(nowSeconds) } }, 'iat'],
    ['a time beyond its age and the skew', { nowSeconds: nowSeconds - 71 }, 'iat'],
    ['a time further ahead than the skew', { nowSeconds: nowSeconds + 11 }, 'iat'],
    ['an end that has passed', { claims: { exp: nowSeconds - 10 } }, 'exp'],
    ['a beginning that has not come', { claims: { nbf: nowSeconds + 11 } }, 'nbf'],
  ])('is refused with %s', async (_, change, found) => {
    expect(await checkOf(await prove(change))).toBe(found);
  });

  it.each([
    ['its age and the skew', nowSeconds - 70],
    ['the skew ahead', nowSeconds + 10],
  ])('still counts at %s', async (_, issuedAt) => {
    expect(await checkOf(await prove({ nowSeconds: issuedAt }))).toHaveProperty('key');
  });

  it.each<[string, string | null, string]>([
    ['no field', null, 'missing'],
    ['an empty field', '', 'missing'],
    ['two parts', 'a.b', 'shape'],
    ['more than 8 KiB', `${'a'.repeat(9000)}.b.c`, 'shape'],
  ])('is refused with %s', async (_, field, found) => {
    expect(await checkOf(field)).toBe(found);
  });

  it('is refused when the field was sent twice (RFC 9449 §4.3 step 1)', async () => {
    expect(await checkOf(`${await prove()}, ${await prove()}`)).toBe('duplicated');
  });

  it('is refused when its signature was changed', async () => {
    const proof = await prove();
    const [header, claims] = proof.split('.');
    expect(await checkOf(`${header}.${claims}.${(await prove()).split('.')[2]}`)).toBe('signature');
  });

  it('is refused when its claims were changed after a good one with the same header', async () => {
    await check(await prove(), demand);
    const [header, , signature] = (await prove()).split('.');
    const [, forged] = (await prove()).split('.');
    expect(await checkOf(`${header}.${forged}.${signature}`)).toBe('signature');
  });

  it.each(['HS256', 'HS512', 'none', 'None', 'RSA1_5', ''])('is refused with the algorithm `%s`', async (alg) => {
    const header = base64url.encode(JSON.stringify({ typ: 'dpop+jwt', alg, jwk: client.jwk }));
    const [, claims, signature] = (await prove()).split('.');
    expect(await checkOf(`${header}.${claims}.${signature}`)).toBe('alg');
  });

  it('is refused with a symmetric key', async () => {
    const jwk = { kty: 'oct', k: base64url.encode(new Uint8Array(32)) };
    const proof = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk })
      .sign(new Uint8Array(32));
    expect(await checkOf(proof)).toBe('alg');
    const [, claims, signature] = proof.split('.');
    const renamed = base64url.encode(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk }));
    expect(await checkOf(`${renamed}.${claims}.${signature}`)).toBe('jwk');
  });

  it('is refused with a private key (RFC 9449 §4.3 step 7)', async () => {
    expect(await checkOf(await prove({ header: { jwk: { ...client.jwk, d: client.jwk.x } } }))).toBe('jwk');
  });

  it('is refused with a key of another kind than its algorithm', async () => {
    const { jwk } = await createProvingClient('RS256');
    expect(await checkOf(await prove({ header: { jwk } }))).toBe('jwk');
  });

  it('is refused with a point that is not on its curve', async () => {
    expect(await checkOf(await prove({ header: { jwk: { ...client.jwk, y: client.jwk.x } } }))).toBe('jwk');
  });

  it('is refused as a wrong token when another key made it', async () => {
    const other = await createProvingClient();
    const proof = await other.prove({ uri, token, nowSeconds });
    expect(await check(proof, demand)).toEqual({ reason: 'proof_key_mismatch' });
  });
});

describe('a proof with a nonce', () => {
  const keys = ['k'.repeat(32), 'previous'.repeat(4)];
  const nonces = createNonces(keys, undefined);
  const checkNonce = createCheckProof(settings, { canonicalPath, nonces });

  it('is asked for one, and counts with it', async () => {
    const refused = await checkNonce(await prove(), demand);
    expect(refused).toEqual({ reason: 'proof_nonce_needed', nonce: expect.any(String) });
    const nonce = 'nonce' in refused ? refused.nonce : null;
    expect(await checkNonce(await prove({ claims: { nonce } }), demand)).toHaveProperty('key');
  });

  it('is told a nonce with every other refusal too', async () => {
    const refused = await checkNonce(await prove({ claims: { htm: 'PUT' } }), demand);
    expect(refused).toEqual({ reason: 'proof_invalid', check: 'htm', nonce: expect.any(String) });
  });

  it('counts with a nonce of the key that is being rotated out', async () => {
    const nonce = await createNonces([keys[1] ?? ''], undefined).make(demand.nowMs);
    expect(await checkNonce(await prove({ claims: { nonce } }), demand)).toHaveProperty('key');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['of another key', () => createNonces(['x'.repeat(32)], undefined).make(demand.nowMs)],
    ['that is too old', () => nonces.make(demand.nowMs - 331_000)],
    ['from far ahead', () => nonces.make(demand.nowMs + 61_000)],
    ['that is a number', async () => 5],
    ['without a MAC', async () => (await nonces.make(demand.nowMs)).split('.')[0]],
    ['with the time of another', async () => `abc.${(await nonces.make(demand.nowMs)).split('.')[1]}`],
  ])('is refused with a nonce %s', async (_, nonce) => {
    const proof = await prove({ claims: { nonce: await nonce() } });
    expect(await checkNonce(proof, demand)).toMatchObject({ reason: 'proof_nonce_needed' });
  });
});
