import fc from 'fast-check';
import { createLocalJWKSet, exportJWK, type JWK, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  audience,
  claims,
  context,
  createSigner,
  createVerifyToken,
  issuer,
  keySetsOf,
  now,
  part,
  type Signer,
  signature,
  tokenSettings,
} from '../support/tokens.ts';

/*
 * Our verification is our own code; jose is another reading of the same standards. Whatever ours accepts, jose accepts, with the same
 * claims. Not the other way round: ours refuses more (lifetimes, several `aud`, unknown kinds of keys).
 */

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
const signers: Signer[] = [];
for (const algorithm of ALGORITHMS) signers.push(await createSigner(algorithm, `key-${algorithm}`));
const stranger = await createSigner('ES256', 'key-ES256');

async function publicJwk({ publicKey, algorithm, verification }: Signer): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid: verification.keyId ?? '', alg: algorithm, use: 'sig' };
}
const keys = createLocalJWKSet({ keys: await Promise.all(signers.map(publicJwk)) });
const verify = createVerifyToken(tokenSettings, {
  keySets: keySetsOf(signers.map(({ verification }) => verification)),
  secrets: [],
});

/** What jose makes of a token under the same rules: its claims, or null. */
async function oracle(token: string): Promise<unknown> {
  return jwtVerify(token, keys, {
    algorithms: [...ALGORITHMS],
    issuer,
    audience,
    clockTolerance: tokenSettings.clockSkewSeconds,
    currentDate: new Date(now * 1000),
    requiredClaims: ['exp'],
  }).then(
    ({ payload }) => payload,
    () => null,
  );
}

const NOTHING = Symbol('leave out');
/** Mostly the right value, sometimes another, sometimes none. */
function mostly<T>(right: T, ...others: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant(right) },
    { weight: 2, arbitrary: fc.constantFrom(...others, NOTHING) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  );
}
function without(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== NOTHING));
}

const header = fc.record({
  alg: mostly(null, 'none', 'None', 'HS256', 'RS256', 'ES256', 'ES384', 'EdDSA', ['ES256']),
  kid: mostly(null, 'key-ES256', 'key-RS256', 'other', '', 7),
  typ: mostly('at+jwt', 'JWT', 'jwt', 'application/at+jwt', 'secevent+jwt', ''),
  crit: mostly(NOTHING, [], ['b64'], ['exp']),
  b64: mostly(NOTHING, true, false),
  jwk: mostly(NOTHING, {}),
});
const body = fc.record({
  iss: mostly(issuer, `${issuer}/`, [issuer], 'https://other.example'),
  aud: mostly(audience, [audience], [audience, 'x'], ['x'], [], `${audience}x`, null),
  exp: mostly(now + 300, now, now - 60, now - 59, now + 1e9, String(now + 300), Number.MAX_VALUE),
  nbf: mostly(NOTHING, now, now + 60, now + 61, 'soon'),
  iat: mostly(now - 10, now + 60, now + 61, 0, 'then'),
  sub: mostly('alice', '', 7, ['alice']),
});
const damage = fc.oneof(
  { weight: 6, arbitrary: fc.constant((token: string) => token) },
  { weight: 1, arbitrary: fc.constantFrom(...['=', '.', ' ', '\n', 'A'].map((end) => (token: string) => token + end)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...'ABab01-_')).map(([at, character]) => (token: string) => {
      const place = at % token.length;
      return token.slice(0, place) + character + token.slice(place + 1);
    }),
  },
);

interface Made {
  readonly header: Record<string, unknown>;
  readonly body: Record<string, unknown>;
  readonly signer: Signer;
  readonly by: Signer;
  readonly damage: (token: string) => string;
  readonly duplicate: boolean;
}
const made: fc.Arbitrary<Made> = fc
  .record({
    header,
    body,
    signer: fc.constantFrom(...signers),
    isForged: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    damage,
    duplicate: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(({ isForged, ...rest }) => ({ ...rest, by: isForged ? stranger : rest.signer }));

async function tokenOf({ header: given, body: said, signer, by, damage: harm, duplicate }: Made): Promise<string> {
  const named = {
    ...given,
    alg: given.alg === null ? signer.algorithm : given.alg,
    kid: given.kid === null ? signer.verification.keyId : given.kid,
  };
  const payload = JSON.stringify({ ...claims, ...without(said) });
  const text = duplicate ? payload.replace('{', '{"sub":"mallory",') : payload;
  const signed = `${part(without(named))}.${part(text)}`;
  return harm(`${signed}.${part(await signature(by.algorithm, by.privateKey, signed))}`);
}

describe('tokens that ours accepts', () => {
  test('are accepted by jose, with the same claims', async () => {
    const counts = { both: 0, neither: 0, joseOnly: 0 };
    await fc.assert(
      fc.asyncProperty(made, async (parts) => {
        const token = await tokenOf(parts);
        const [verdict, theirs] = await Promise.all([verify(token, now * 1000, context, true), oracle(token)]);
        if (verdict.outcome === 'verified') {
          expect(theirs).not.toBeNull();
          expect({ ...verdict.token.claims }).toEqual(theirs);
          counts.both++;
        } else counts[theirs === null ? 'neither' : 'joseOnly']++;
      }),
      { numRuns: 3000, seed: 20261127 },
    );
    // The property says nothing where nothing is accepted.
    expect(counts.both).toBeGreaterThan(300);
    expect(counts.neither).toBeGreaterThan(300);
  }, 120_000);

  test('are refused where the signature is a stranger’s, by both', async () => {
    const parts = { header: { typ: 'at+jwt' }, body: {}, damage: (token: string) => token, duplicate: false };
    const [signer] = signers.filter(({ algorithm }) => algorithm === 'ES256');
    if (signer === undefined) throw new Error('no signer');
    const token = await tokenOf({ ...parts, header: { ...parts.header, alg: null, kid: null }, signer, by: stranger });
    expect((await verify(token, now * 1000, context, true)).outcome).toBe('refused');
    expect(await oracle(token)).toBeNull();
  });
});
