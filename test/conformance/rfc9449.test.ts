/**
 * RFC 9449 (DPoP) as it binds a resource server. The table with every MUST is docs/reference/rfc9449.md; whole requests are in
 * test/doors/bound-tokens.test.ts.
 */
import { beforeAll, describe, expect, it, test } from 'vitest';
import { createNonces } from '../../lib/authenticate/dpop/nonce.ts';
import { createCheckProof, type ProofDemand, tokenHashOf } from '../../lib/authenticate/dpop/proof.ts';
import { PROOF_ALGORITHMS } from '../../lib/authenticate/dpop/proof-key.ts';
import { canonicalTarget } from '../../lib/request/path.ts';
import { denialAnswer } from '../../lib/respond/denial.ts';
import { createProvingClient, type ProvingClient } from '../support/proofs.ts';

const nowSeconds = 1_800_000_000;
const token = 'a.b.c';
const uri = 'https://api.example.com/v1/jobs/42';
const settings = { maximumAgeSeconds: 60, clockSkewSeconds: 10 };
const parts = {
  canonicalPath: (target: string) => {
    const canonical = canonicalTarget(target);
    return canonical.ok ? canonical.path : null;
  },
};
const nonces = createNonces(['n'.repeat(32)], undefined);
let client: ProvingClient;
let demand: ProofDemand;

beforeAll(async () => {
  client = await createProvingClient();
  demand = {
    ...{ method: 'GET', target: { secure: true, host: 'api.example.com', path: '/v1/jobs/42' } },
    ...{ tokenHash: await tokenHashOf(token), thumbprint: client.thumbprint, nowMs: nowSeconds * 1000 },
  };
});

async function told(proof: string | null, withNonces = false) {
  const checked = await createCheckProof(settings, { ...parts, nonces: withNonces ? nonces : null })(proof, demand);
  if (!('reason' in checked)) return 'accepted';
  return 'check' in checked ? checked.check : checked.reason;
}
type Change = Parameters<ProvingClient['prove']>[0];
function prove(change: Change = {}) {
  return client.prove({ uri, token, nowSeconds, ...change });
}

describe('RFC 9449 §4.3, the checks of a proof', () => {
  it('a proof that meets all of them is accepted', async () => {
    expect(await told(await prove())).toBe('accepted');
  });

  it('1: there is not more than one DPoP field', async () => {
    expect(await told(`${await prove()}, ${await prove()}`)).toBe('duplicated');
    expect(await told(null)).toBe('missing');
  });

  it.each(['a b', 'a=b', '"a.b.c"', 'ä.b.c'])('§4.1: the field is a token68, not `%s`', async (field) => {
    expect(await told(field)).toBe('shape');
  });

  it('2: the field holds one well-formed JWT', async () => {
    for (const proof of ['nonsense', 'a.b', 'a.b.c.d.e', '{}']) expect(await told(proof)).toBe('shape');
  });

  it.each(['jti', 'htm', 'htu', 'iat', 'ath'])('3: the claim %s is there', async (claim) => {
    expect(await told(await prove({ claims: { [claim]: undefined } }))).toBe(claim);
  });

  it.each(['JWT', 'at+jwt', undefined])('4: the type %s is refused', async (typ) => {
    expect(await told(await prove({ header: { typ } }))).toBe('typ');
  });

  it('5: only registered asymmetric algorithms are accepted', async () => {
    const [, claims, signature] = (await prove()).split('.');
    for (const alg of ['none', 'HS256', 'HS512', 'es256', 'A128KW']) {
      const header = Buffer.from(JSON.stringify({ alg, typ: 'dpop+jwt', jwk: client.jwk })).toString('base64url');
      expect(await told(`${header}.${claims}.${signature}`)).toBe('alg');
    }
    for (const name of PROOF_ALGORITHMS) expect(name).not.toMatch(/^(HS|none)/);
  });

  it('6: the signature is that of the key in the header', async () => {
    const other = await createProvingClient();
    expect(await told(await other.prove({ uri, token, nowSeconds, header: { jwk: client.jwk } }))).toBe('signature');
  });

  it('7: the key in the header has no private part', async () => {
    expect(await told(await prove({ header: { jwk: { ...client.jwk, d: 'AAAA' } } }))).toBe('jwk');
    expect(await told(await prove({ header: { jwk: { kty: 'oct', k: 'AAAA' } } }))).toBe('jwk');
  });

  it('8: `htm` is the method of the request', async () => {
    for (const htm of ['POST', 'get']) expect(await told(await prove({ claims: { htm } }))).toBe('htm');
  });

  it.each([
    ['https://api.example.com/v1/jobs/43', 'htu'],
    ['http://api.example.com/v1/jobs/42', 'htu'],
    ['https://api.example.com:8443/v1/jobs/42', 'htu'],
    ['https://evil.example/v1/jobs/42', 'htu'],
    [`${uri}?a=b#c`, 'accepted'],
    ['HTTPS://API.example.com:443/v1/jobs/42', 'accepted'],
  ])('9: `htu` %s, without query and fragment, after normalisation: %s', async (htu, outcome) => {
    expect(await told(await prove({ claims: { htu } }))).toBe(outcome);
  });

  it('10: the nonce is one of ours, where one is demanded', async () => {
    expect(await told(await prove(), true)).toBe('proof_nonce_needed');
    expect(await told(await prove({ claims: { nonce: 'another' } }), true)).toBe('proof_nonce_needed');
    const nonce = await nonces.make(demand.nowMs);
    expect(await told(await prove({ claims: { nonce } }), true)).toBe('accepted');
  });

  it('11: `iat` is within the window', async () => {
    for (const iat of [nowSeconds - 71, nowSeconds + 11])
      expect(await told(await prove({ claims: { iat } }))).toBe('iat');
  });

  it('12: `ath` is the hash of the token, and the key is the one that the token is bound to', async () => {
    expect(await told(await prove({ token: 'another' }))).toBe('ath');
    const other = await createProvingClient();
    expect(await told(await other.prove({ uri, token, nowSeconds }))).toBe('proof_key_mismatch');
  });
});

describe('RFC 9449 §7.1 and §9, the challenge', () => {
  const answerTo = (reason: Parameters<typeof denialAnswer>[0], byProof = true) => {
    const challenge = { resourceMetadata: null, proofAlgorithms: PROOF_ALGORITHMS, proofsRequired: false };
    const { status, headers } = denialAnswer(reason, { requestId: 'r', authMethod: 'jwt', challenge, byProof });
    const of = (name: string) => headers.find(([field]) => field === name)?.[1];
    return { status, challenge: of('www-authenticate'), nonce: of('dpop-nonce'), caching: of('cache-control') };
  };

  test('names the scheme, the error and the algorithms', () => {
    const answer = answerTo({ reason: 'proof_invalid', check: 'htu', nonce: null });
    expect(answer.status).toBe(401);
    expect(answer.challenge).toMatch(/^DPoP .*error="invalid_dpop_proof".*algs="/);
    expect(answer.challenge).not.toContain('none');
  });

  test('a needed nonce comes with the error `use_dpop_nonce`, in a field of its own that nobody caches (§8.2)', () => {
    const answer = answerTo({ reason: 'proof_nonce_needed', nonce: 'fresh' });
    expect([answer.status, answer.nonce, answer.caching]).toEqual([401, 'fresh', 'no-store']);
    expect(answer.challenge).toContain('error="use_dpop_nonce"');
  });

  test('§7.2: a key that is not the token’s is `invalid_token`', () => {
    expect(answerTo({ reason: 'proof_key_mismatch' }).challenge).toContain('error="invalid_token"');
  });
});
