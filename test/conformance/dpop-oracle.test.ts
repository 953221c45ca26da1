import fc from 'fast-check';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { createCheckProof, tokenHashOf } from '../../lib/authenticate/dpop/proof.ts';
import { PROOF_ALGORITHMS } from '../../lib/authenticate/dpop/proof-key.ts';
import { canonicalTarget } from '../../lib/request/path.ts';
import { createProvingClient } from '../support/proofs.ts';

/*
 * Our check of proofs is our own code; jose is another reading of the same standards. Whatever ours accepts, jose verifies with the key
 * in the proof, and the claims are those of RFC 9449 §4.3. Not the other way round: ours refuses more.
 */

const now = 1_800_000_000;
const token = 'a.b.c';
const uri = 'https://api.example.com/v1/jobs/42';
const ath = await tokenHashOf(token);
const settings = { maximumAgeSeconds: 60, clockSkewSeconds: 10 };

const clients = await Promise.all(
  (['ES256', 'RS256', 'PS256', 'EdDSA'] as const).map(async (algorithm) => ({
    algorithm,
    client: await createProvingClient(algorithm),
  })),
);
const [stranger] = await Promise.all([createProvingClient('ES256')]);

const check = createCheckProof(settings, {
  canonicalPath: (target) => {
    const canonical = canonicalTarget(target);
    return canonical.ok ? canonical.path : null;
  },
  nonces: null,
});

/** What jose makes of a proof: its claims and the thumbprint of its key, or null. */
async function oracle(proof: string) {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...PROOF_ALGORITHMS],
      typ: 'dpop+jwt',
      clockTolerance: settings.clockSkewSeconds,
      maxTokenAge: settings.maximumAgeSeconds,
      currentDate: new Date(now * 1000),
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
    });
    const { jwk } = protectedHeader;
    return jwk === undefined ? null : { payload, thumbprint: await calculateJwkThumbprint(jwk) };
  } catch {
    return null;
  }
}

const NOTHING = Symbol('leave out');
function mostly(right: unknown, ...others: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant(right) },
    { weight: 2, arbitrary: fc.constantFrom(...others, NOTHING) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  );
}
function without(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== NOTHING));
}

const RIGHT = Symbol('the right value');
const header = fc.record({
  alg: mostly(RIGHT, 'none', 'None', 'HS256', 'RS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519', ['ES256']),
  typ: mostly('dpop+jwt', 'DPoP+JWT', 'application/dpop+jwt', 'jwt', 'at+jwt', ''),
  jwk: mostly(RIGHT, 'of the stranger', 'with a private part', 'symmetric', 'without kty', {}, []),
  crit: mostly(NOTHING, [], ['b64'], ['exp']),
  b64: mostly(NOTHING, true, false),
  kid: mostly(NOTHING, 'k', 7),
});
const claims = fc.record({
  jti: mostly('id', '', 7, 'x'.repeat(2000)),
  htm: mostly('GET', 'get', 'POST', ['GET']),
  htu: mostly(
    uri,
    `${uri}?a=b`,
    `${uri}#f`,
    'HTTPS://API.example.com:443/v1/jobs/42',
    'http://api.example.com/v1/jobs/42',
    `${uri}/`,
    'https://api.example.com.evil/v1/jobs/42',
    'https://api.example.com/v1/%6aobs/42',
    'https://api.example.com/v1/../v1/jobs/42',
    'https://user@api.example.com/v1/jobs/42',
    [uri],
  ),
  iat: mostly(now, now - 60, now - 70, now - 71, now + 10, now + 11, String(now), -1, now + 0.5),
  ath: mostly(ath, ath.slice(0, -1), `${ath}=`, ath.toUpperCase()),
  exp: mostly(NOTHING, now + 60, now - 60, now - 10, now - 9, 'soon'),
  nbf: mostly(NOTHING, now, now + 10, now + 11, 'soon'),
});
const damage = fc.oneof(
  { weight: 8, arbitrary: fc.constant((proof: string) => proof) },
  { weight: 1, arbitrary: fc.constantFrom(...['=', '.', ' ', ',', 'A'].map((end) => (proof: string) => proof + end)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...'ABab01-_')).map(([at, character]) => (proof: string) => {
      const place = at % proof.length;
      return proof.slice(0, place) + character + proof.slice(place + 1);
    }),
  },
);
const made = fc.record({ header, claims, damage, of: fc.constantFrom(...clients), duplicate: fc.nat({ max: 9 }) });

type Made = typeof made extends fc.Arbitrary<infer T> ? T : never;

function jwkOf(wanted: unknown, own: object): unknown {
  switch (wanted) {
    case RIGHT:
      return own;
    case 'of the stranger':
      return stranger.jwk;
    case 'with a private part':
      return { ...own, d: 'AAAA' };
    case 'symmetric':
      return { kty: 'oct', k: 'AAAA' };
    case 'without kty':
      return { ...own, kty: undefined };
    default:
      return wanted;
  }
}

async function proofOf({ header: given, claims: said, damage: harm, of, duplicate }: Made): Promise<string> {
  const named: Record<string, unknown> = { ...given, jwk: jwkOf(given.jwk, of.client.jwk) };
  if (given.alg === RIGHT) named.alg = of.algorithm;
  const payload = JSON.stringify(without(said));
  const text = duplicate === 0 ? payload.replace('{', '{"htm":"POST",') : payload;
  const part = (value: string) => Buffer.from(value).toString('base64url');
  const signed = `${part(JSON.stringify(without(named)))}.${part(text)}`;
  return harm(`${signed}.${await of.client.sign(signed)}`);
}

describe('proofs that ours accepts', () => {
  test('are verified by jose, and their claims are those of the request', async () => {
    const counts = { both: 0, neither: 0, joseOnly: 0 };
    await fc.assert(
      fc.asyncProperty(made, async (parts) => {
        const proof = await proofOf(parts);
        const checked = await check(proof, {
          ...{ method: 'GET', target: { secure: true, host: 'api.example.com', path: '/v1/jobs/42' } },
          ...{ tokenHash: ath, thumbprint: parts.of.client.thumbprint, nowMs: now * 1000 },
        });
        const theirs = await oracle(proof);
        if ('reason' in checked) {
          counts[theirs === null ? 'neither' : 'joseOnly']++;
          return;
        }
        expect(theirs).toMatchObject({ thumbprint: parts.of.client.thumbprint, payload: { htm: 'GET', ath } });
        const url = new URL(String(theirs?.payload.htu));
        expect(decodeURI(`${url.protocol}//${url.host}${url.pathname}`)).toBe(uri);
        counts.both++;
      }),
      { numRuns: 2500, seed: 20261127 },
    );
    // The property says nothing where nothing is accepted, or nothing refused.
    expect(counts.both).toBeGreaterThan(300);
    expect(counts.neither).toBeGreaterThan(300);
  });
});
