import { beforeAll, describe, expect, it } from 'vitest';
import {
  claims,
  context,
  createSigner,
  createVerifyToken,
  issuer,
  judge,
  keySetsOf,
  now,
  type OneIssuer,
  type Signer,
  secretOctets,
  sign,
  signWithSecret,
  tokenOf,
  tokenSettings,
} from '../../../support/tokens.ts';

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const secret = secretOctets('a secret of thirty-two bytes, ok');
const signers = new Map<string, Signer>();
function signerOf(algorithm: string): Signer {
  const signer = signers.get(algorithm);
  if (!signer) throw new Error(`no signer for ${algorithm}`);
  return signer;
}

beforeAll(async () => {
  for (const algorithm of algorithms) signers.set(algorithm, await createSigner(algorithm));
});

function verifierOf(keySets: ReturnType<typeof keySetsOf>, settings: Partial<OneIssuer> = {}) {
  return createVerifyToken({ ...tokenSettings, ...settings }, { keySets, secrets: [] });
}

describe('access token', () => {
  it.each(algorithms)('is verified by %s where listed, and refused where not', async (algorithm) => {
    const signer = signerOf(algorithm);
    const sets = keySetsOf([signer.verification]);
    const token = await tokenOf(signer);
    expect(await judge(verifierOf(sets, { algorithms: [algorithm] }), token)).toBe('verified');
    const others = algorithms.filter((other) => other !== algorithm);
    expect(await judge(verifierOf(sets, { algorithms: others }), token)).toEqual({ reason: 'token_algorithm_refused' });
  });

  it('tells its claims, its facts, the key and what the key set was asked', async () => {
    const { verification } = signerOf('RS256');
    const verdict = await verifierOf(keySetsOf([verification]))(
      await tokenOf(signerOf('RS256')),
      now * 1000,
      context,
      true,
    );
    expect(verdict).toEqual({
      outcome: 'verified',
      token: {
        claims,
        facts: expect.objectContaining({ subject: 'alice', expiresAtSeconds: now + 300 }),
        issuer: expect.objectContaining({ spellings: [issuer] }),
        key: verification,
        query: { keyId: 'k1', algorithm: 'RS256' },
        stale: false,
      },
    });
  });

  it('needs no kid: at most four suitable keys are tried', async () => {
    const signer = signerOf('ES256');
    const token = await sign(signer, { alg: 'ES256' });
    const others = await Promise.all(['k2', 'k3', 'k4', 'k5'].map((keyId) => createSigner('ES256', keyId)));
    const among = (before: number) =>
      keySetsOf([...others.slice(0, before), signer, ...others.slice(before)].map(({ verification }) => verification));
    expect(await judge(verifierOf(keySetsOf([signer.verification])), token)).toBe('verified');
    expect(await judge(verifierOf(among(0)), token)).toBe('verified');
    expect(await judge(verifierOf(among(3)), token)).toBe('verified');
    expect(await judge(verifierOf(among(4)), token)).toEqual({ reason: 'token_key_ambiguous' });
    expect(
      await judge(verifierOf(keySetsOf(others.slice(0, 2).map(({ verification }) => verification))), token),
    ).toEqual({
      reason: 'token_signature_invalid',
    });
  });

  it('says what the key set says: no key, an outage, a stale set', async () => {
    const signer = signerOf('RS256');
    const sets = keySetsOf([signer.verification]);
    const verify = verifierOf(sets);
    expect(await judge(verify, await tokenOf(signer, {}, { kid: 'other' }))).toEqual({ reason: 'token_key_unknown' });
    sets.stale = true;
    expect(await verify(await tokenOf(signer), now * 1000, context, true)).toMatchObject({ token: { stale: true } });
    sets.answer = { found: 'unavailable', retryAfterSeconds: 7 };
    expect(await judge(verify, await tokenOf(signer))).toEqual({
      outcome: 'unavailable',
      reason: 'keys_unavailable',
      retryAfterSeconds: 7,
    });
  });

  it('hands on whether an unknown key may be fetched', async () => {
    const asked: boolean[] = [];
    const signer = signerOf('RS256');
    const unknown = { found: 'none', reason: { reason: 'token_key_unknown' } } as const;
    const sets = {
      find: (_: unknown, __: unknown, mayFetch: boolean) => {
        asked.push(mayFetch);
        return unknown;
      },
      findAgain: () => unknown,
    };
    const verify = createVerifyToken(tokenSettings, { keySets: sets, secrets: [] });
    await verify(await tokenOf(signer), now * 1000, context, false);
    await verify(await tokenOf(signer), now * 1000, context, true);
    expect(asked).toEqual([false, true]);
  });

  describe('order of checks', () => {
    const sets = () => keySetsOf([signerOf('RS256').verification]);

    it('asks no key set before shape, header and issuer are in order', async () => {
      const keySets = sets();
      const verify = verifierOf(keySets);
      const signer = signerOf('RS256');
      for (const token of [
        'x.y.z',
        await tokenOf(signer, {}, { alg: 'none' }),
        await tokenOf(signer, {}, { crit: ['exp'] }),
        await tokenOf(signer, {}, { typ: 'id+jwt' }),
        await tokenOf(signer, { iss: 'https://evil.example' }),
        await tokenOf(signer, { iss: [issuer] }),
      ])
        expect(await judge(verify, token)).toHaveProperty('reason');
      expect(keySets.asked).toEqual([]);
    });

    it('judges no claim but the issuer before the signature', async () => {
      const stranger = await createSigner('RS256');
      const token = await tokenOf(stranger, { exp: 0, aud: 7, sub: null });
      expect(await judge(verifierOf(sets()), token)).toEqual({ reason: 'token_signature_invalid' });
    });

    it('is told step by step to whoever asks, without the token', async () => {
      const told: unknown[][] = [];
      const signer = signerOf('RS256');
      const token = await tokenOf(signer);
      const explain = (...args: unknown[]) => void told.push(args);
      await verifierOf(sets())(token, now * 1000, { ...context, explain }, true);
      expect(told.map(([step]) => step)).toEqual([
        'shape',
        'header',
        'issuer',
        'key',
        'signature',
        'claims',
        'subject',
      ]);
      const text = JSON.stringify(told);
      for (const secretPart of token.split('.')) expect(text).not.toContain(secretPart);
    });

    it.each([
      ['shape', 'x'],
      ['header', { header: { alg: 'none' } }],
      ['issuer', { claims: { iss: 'x' } }],
      ['key', { header: { kid: 'x' } }],
      ['claims', { claims: { exp: 1 } }],
      ['subject', { claims: { sub: '' } }],
    ] as const)('ends with the step that refuses: %s', async (step, wrong) => {
      const told: unknown[][] = [];
      const explain = (...args: unknown[]) => void told.push(args);
      const token =
        typeof wrong === 'string'
          ? wrong
          : await tokenOf(
              signerOf('RS256'),
              'claims' in wrong ? wrong.claims : {},
              'header' in wrong ? wrong.header : {},
            );
      const verdict = await verifierOf(sets())(token, now * 1000, { ...context, explain }, true);
      expect(told.at(-1)).toEqual([
        step,
        'refused',
        expect.objectContaining('reason' in verdict ? (verdict.reason as object) : {}),
      ]);
    });
  });

  describe('shared secret', () => {
    const previous = secretOctets('the secret that is rotated out..');
    const verify = createVerifyToken(
      { ...tokenSettings, algorithms: ['HS256', 'RS256'] },
      {
        keySets: null,
        secrets: [
          { id: 'current', octets: secret },
          { id: 'previous', octets: previous },
        ],
      },
    );

    it.each([
      ['current', secret],
      ['previous', previous],
    ] as const)('verifies HS256 with the %s one and names it', async (id, octets) => {
      const verdict = await verify(
        await signWithSecret(octets, { alg: 'HS256', kid: 'whatever' }),
        now * 1000,
        context,
        true,
      );
      expect(verdict).toMatchObject({ outcome: 'verified', token: { key: { keyId: id }, query: null } });
    });

    it('refuses any other', async () => {
      const token = await signWithSecret(secretOctets('another secret of thirty-two bytes'), { alg: 'HS256' });
      expect(await judge(verify, token)).toEqual({ reason: 'token_signature_invalid' });
    });

    it('accepts no other algorithm, even if listed', async () => {
      expect(await judge(verify, await tokenOf(signerOf('RS256')))).toEqual({ reason: 'token_algorithm_refused' });
    });

    it('counts for nothing beside a key set, even if HS256 is listed', async () => {
      const both = createVerifyToken(
        { ...tokenSettings, algorithms: ['HS256', 'RS256'] },
        { keySets: keySetsOf([signerOf('RS256').verification]), secrets: [{ id: 'current', octets: secret }] },
      );
      expect(await judge(both, await signWithSecret(secret, { alg: 'HS256' }))).toEqual({
        reason: 'token_algorithm_refused',
      });
      expect(await judge(both, await tokenOf(signerOf('RS256')))).toBe('verified');
    });

    it('checks the claims and the issuer all the same', async () => {
      expect(await judge(verify, await signWithSecret(secret, { alg: 'HS256' }, { ...claims, exp: 1 }))).toHaveProperty(
        'reason',
        'token_expired',
      );
      expect(
        await judge(verify, await signWithSecret(secret, { alg: 'HS256' }, { ...claims, iss: 'x' })),
      ).toHaveProperty('reason', 'token_issuer_unknown');
    });
  });

  describe('settings that no configuration lets through', () => {
    it.each(['none', 'None', 'HS384', 'RSA1_5', 'constructor', 'rs256', ''])(
      'throw for the algorithm %j',
      (algorithm) => {
        expect(() => verifierOf(keySetsOf([]), { algorithms: ['RS256', algorithm] })).toThrow(
          'no such signature algorithm',
        );
      },
    );

    it('throw for a secret under 32 bytes (RFC 7518 §3.2)', () => {
      const make = (length: number) =>
        createVerifyToken(
          { ...tokenSettings, algorithms: ['HS256'] },
          { keySets: null, secrets: [{ id: 'current', octets: new Uint8Array(length) }] },
        );
      expect(() => make(0)).toThrow('under 32 bytes');
      expect(() => make(31)).toThrow('under 32 bytes');
      expect(() => make(32)).not.toThrow();
    });

    it('throw without any key', () => {
      expect(() => createVerifyToken(tokenSettings, { keySets: null, secrets: [] })).toThrow('neither');
    });
  });
});
