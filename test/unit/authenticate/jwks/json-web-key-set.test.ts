import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KeySet, keySetFault, parseKeySet } from '../../../../lib/authenticate/jwks/json-web-key-set.ts';
import { type IssuerKey, keySetText, makeKey } from '../issuer-keys.ts';

const everyAlgorithm = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

let rsa: IssuerKey;
let p256: IssuerKey;
let p384: IssuerKey;
let p521: IssuerKey;
let ed25519: IssuerKey;

beforeAll(async () => {
  [rsa, p256, p384, p521, ed25519] = await Promise.all([
    makeKey('rsa', 'RSA'),
    makeKey('p256', 'P-256'),
    makeKey('p384', 'P-384'),
    makeKey('p521', 'P-521'),
    makeKey('ed', 'Ed25519'),
  ]);
});

const every = { algorithms: everyAlgorithm, uses: ['sig'] };

async function parse(
  text: string,
  algorithms: readonly string[] = everyAlgorithm,
  previous: KeySet | null = null,
): Promise<KeySet> {
  const parsed = await parseKeySet(text, { algorithms, uses: ['sig'] }, previous);
  if (!('set' in parsed)) throw new Error(parsed.problem);
  return parsed.set;
}

/** A set with one more, good key, so that what happens to `jwk` does not decide about the set. */
function besideAGoodKey(jwk: unknown) {
  return parse(keySetText(jwk, { ...ed25519.jwk, kid: 'good' }));
}

function none(reason: string, check?: string) {
  return {
    found: 'none',
    reason: check === undefined ? { reason } : { reason, check },
  };
}

describe('a key set (RFC 7517 §5)', () => {
  it.each([
    ['not JSON at all', '<html>maintenance</html>', 'not_json'],
    ['an empty answer', '', 'not_json'],
    ['JSON with a member name twice', '{"keys":[],"keys":[]}', 'not_json'],
    ['JSON nested beyond reason', `{"keys":${'['.repeat(10_000)}`, 'not_json'],
    ['an array', '[]', 'not_a_key_set'],
    ['null', 'null', 'not_a_key_set'],
    ['an object without keys', '{"error":"x"}', 'not_a_key_set'],
    ['keys that are no array', '{"keys":{"0":{}}}', 'not_a_key_set'],
    ['keys inherited from __proto__', '{"__proto__":{"keys":[]}}', 'not_a_key_set'],
    ['an empty array', '{"keys":[]}', 'no_usable_key'],
    ['only members that are no keys', '{"keys":[null,1,"a",[],{}]}', 'no_usable_key'],
    ['more keys than any issuer has', keySetText(...Array.from({ length: 101 }, () => ({}))), 'too_many_keys'],
  ])('is refused when it is %s', async (_, text, problem) => {
    expect(await parseKeySet(text, every, null)).toMatchObject({ problem });
  });

  it('is refused when no key serves an allowed algorithm', async () => {
    expect(await parseKeySet(keySetText(p256.jwk), { algorithms: ['RS256'], uses: ['sig'] }, null)).toEqual({
      problem: 'no_usable_key',
      unusable: [{ keyId: 'p256', check: 'kty' }],
    });
  });

  it('ignores what it cannot use and keeps the rest', async () => {
    const set = await parse(keySetText(null, { kty: 'AKP', kid: 'pq' }, { ...rsa.jwk, kid: 7 }, p256.jwk));
    expect(set.keys.size).toBe(1);
    expect(set.ignored).toBe(3);
    expect(set.find('p256', 'ES256')).toMatchObject({ found: 'keys' });
  });

  it('never throws, whatever the members are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), async (keys) => {
        expect(await parseKeySet(JSON.stringify({ keys }), every, null)).toHaveProperty('problem');
      }),
      { seed: 7517, numRuns: 200 },
    );
  });

  it('never takes a damaged key for a key', async () => {
    const members = ['kty', 'crv', 'x', 'y', 'n', 'e', 'use', 'alg', 'key_ops'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(rsa, p256, ed25519),
        fc.constantFrom(...members),
        fc.oneof(fc.constant(null), fc.integer(), fc.constant('AAAA'), fc.constant([]), fc.constant({})),
        async (key, name, value) => {
          const jwk = { ...key.jwk, [name]: value };
          const used = { RSA: ['kty', 'n', 'e'], EC: ['kty', 'crv', 'x', 'y'], OKP: ['kty', 'crv', 'x'] }[
            key.jwk.kty as 'RSA' | 'EC' | 'OKP'
          ];
          const damaged = used.includes(name) || ['use', 'alg', 'key_ops'].includes(name);
          const parsed = await parseKeySet(keySetText(jwk), every, null);
          expect('problem' in parsed).toBe(damaged);
        },
      ),
      { seed: 7518, numRuns: 200 },
    );
  });
});

describe('which key a token gets', () => {
  it.each<[() => IssuerKey, readonly string[]]>([
    [() => rsa, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    [() => p256, ['ES256']],
    [() => p384, ['ES384']],
    [() => p521, ['ES512']],
    [() => ed25519, ['EdDSA']],
  ])('a key without alg serves every allowed algorithm of its type and no other (%#)', async (key, algorithms) => {
    const set = await parse(keySetText(key().jwk));
    const served = everyAlgorithm.filter((algorithm) => set.find(key().jwk.kid, algorithm).found === 'keys');
    expect(served).toEqual(algorithms);
  });

  it('the imported key verifies what its owner signed, and is public and cannot sign', async () => {
    const answer = (await parse(keySetText(p256.jwk))).find('p256', 'ES256');
    if (answer.found !== 'keys') throw new Error('no key');
    const [found] = answer.keys;
    if (found === undefined) throw new Error('no key');
    const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };
    const data = new TextEncoder().encode('signed');
    const signature = await crypto.subtle.sign(ecdsa, p256.pair.privateKey, data);
    expect(await crypto.subtle.verify(ecdsa, found.key, signature, data)).toBe(true);
    expect(found.key.type).toBe('public');
    expect(found.key.usages).toEqual(['verify']);
    expect(found).toMatchObject({ keyId: 'p256', algorithm: 'ES256' });
  });

  it('an algorithm that is not allowed finds nothing, also one named like a property of every object', async () => {
    const set = await parse(keySetText(rsa.jwk), ['RS256']);
    for (const algorithm of ['RS512', 'none', 'HS256', '__proto__', 'constructor', 'rs256'])
      expect(set.find('rsa', algorithm)).toEqual(none('token_key_unknown'));
  });

  it('an alg that the issuer bound the key to is the only one it serves', async () => {
    const set = await parse(keySetText({ ...rsa.jwk, alg: 'RS256' }));
    expect(set.find('rsa', 'RS256').found).toBe('keys');
    expect(set.find('rsa', 'PS256')).toEqual(none('token_key_unfit', 'alg'));
  });

  it('tells an unknown kid from one whose key does not fit', async () => {
    const set = await parse(keySetText(rsa.jwk, p256.jwk));
    expect(set.find('other', 'RS256')).toEqual(none('token_key_unknown'));
    expect(set.find('__proto__', 'RS256')).toEqual(none('token_key_unknown'));
    expect(set.find('p256', 'RS256')).toEqual(none('token_key_unfit', 'kty'));
    expect(set.find('p256', 'ES384')).toEqual(none('token_key_unfit', 'curve'));
  });

  it('without a kid every suitable key will do, four of them at most', async () => {
    const other = await makeKey('other');
    expect((await parse(keySetText(rsa.jwk, p256.jwk))).find(null, 'ES256').found).toBe('keys');
    expect((await parse(keySetText(rsa.jwk, p256.jwk))).find(null, 'EdDSA')).toEqual(none('token_key_unknown'));
    expect((await parse(keySetText(other.jwk, p256.jwk))).find(null, 'ES256')).toMatchObject({
      keys: [{ keyId: 'other' }, { keyId: 'p256' }],
      more: false,
    });
    const five = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((kid) => makeKey(kid)));
    const many = (await parse(keySetText(...five.map(({ jwk }) => jwk)))).find(null, 'ES256');
    expect(many).toMatchObject({ keys: ['a', 'b', 'c', 'd'].map((keyId) => ({ keyId })), more: true });
  });

  it('a key without a kid is never chosen by a token that names one', async () => {
    const { kid: _kid, ...unnamed } = p256.jwk;
    const set = await parse(keySetText(unnamed));
    expect(set.find('', 'ES256')).toEqual(none('token_key_unknown'));
    expect(set.find(null, 'ES256')).toMatchObject({ found: 'keys', keys: [{ keyId: null }] });
  });

  it('two different keys under one kid are both given for an algorithm that both serve', async () => {
    const twin = await makeKey('p256');
    expect((await parse(keySetText(p256.jwk, twin.jwk))).find('p256', 'ES256')).toMatchObject({
      keys: [{ keyId: 'p256' }, { keyId: 'p256' }],
    });
  });

  it('two keys under one kid are not ambiguous when only one serves the algorithm (RFC 7517 §4.5)', async () => {
    const set = await parse(
      keySetText({ ...rsa.jwk, kid: 'k' }, { ...p256.jwk, kid: 'k' }, { ...p384.jwk, kid: 'k', use: 'enc' }),
    );
    expect(set.find('k', 'RS256').found).toBe('keys');
    expect(set.find('k', 'ES256').found).toBe('keys');
    expect(set.find('k', 'ES384').found).toBe('none');
  });

  it('the same key listed twice is one key', async () => {
    const set = await parse(keySetText(p256.jwk, { ...p256.jwk, use: 'sig' }));
    expect(set.find('p256', 'ES256').found).toBe('keys');
    expect(set.keys.size).toBe(1);
  });

  it('keeps the object of a key that the next set has too, and of no other', async () => {
    const first = await parse(keySetText(p256.jwk, rsa.jwk));
    const impostor = await makeKey('p256');
    const second = await parse(keySetText(impostor.jwk, { ...rsa.jwk, x5t: 'new' }), everyAlgorithm, first);
    const key = (set: KeySet, kid: string, algorithm: string) => {
      const answer = set.find(kid, algorithm);
      return answer.found === 'keys' ? answer.keys[0] : null;
    };
    expect(key(second, 'rsa', 'RS256')).toBe(key(first, 'rsa', 'RS256'));
    expect(key(second, 'p256', 'ES256')).not.toBe(key(first, 'p256', 'ES256'));
    expect(second.find('rsa', 'RS256')).toBe(second.find('rsa', 'RS256'));
  });
});

describe('a JWK that must not verify anything', () => {
  const base64url = (bytes: readonly number[]) => Buffer.from(bytes).toString('base64url');
  const modulus = (octets: number, last = 0xff) => base64url([...Array<number>(octets - 1).fill(0xff), last]);

  it.each<[string, () => Record<string, unknown>, string, string]>([
    ['published with its private part', () => ({ ...p256.privateJwk, kid: 'k' }), 'ES256', 'private'],
    ['published with a private RSA factor', () => ({ ...rsa.jwk, p: 'AAAA' }), 'RS256', 'private'],
    ['symmetric', () => ({ kty: 'oct', k: 'A'.repeat(43) }), 'RS256', 'private'],
    ['symmetric without its value', () => ({ kty: 'oct' }), 'RS256', 'kty'],
    ['of no known type', () => ({ ...rsa.jwk, kty: 'rsa' }), 'RS256', 'kty'],
    ['for encryption', () => ({ ...rsa.jwk, use: 'enc' }), 'RS256', 'use'],
    ['with a use that is no string', () => ({ ...rsa.jwk, use: ['sig'] }), 'RS256', 'use'],
    ['for other operations', () => ({ ...rsa.jwk, key_ops: ['encrypt'] }), 'RS256', 'key_ops'],
    ['with key_ops that is no array', () => ({ ...rsa.jwk, key_ops: 'verify' }), 'RS256', 'key_ops'],
    ['with an operation twice', () => ({ ...rsa.jwk, key_ops: ['verify', 'verify'] }), 'RS256', 'key_ops'],
    ['bound to an algorithm of another type', () => ({ ...rsa.jwk, alg: 'ES256' }), 'RS256', 'alg'],
    ['bound to a symmetric algorithm', () => ({ ...rsa.jwk, alg: 'HS256' }), 'RS256', 'alg'],
    ['bound to an alg that is no string', () => ({ ...rsa.jwk, alg: ['RS256'] }), 'RS256', 'alg'],
    ['RSA of 1024 bits', () => ({ ...rsa.jwk, n: modulus(128) }), 'RS256', 'size'],
    [
      'RSA of 2040 bits behind a zero octet',
      () => ({ ...rsa.jwk, n: base64url([0, ...Array<number>(255).fill(255)]) }),
      'RS256',
      'size',
    ],
    [
      'RSA of 1024 bits behind zeros',
      () => ({ ...rsa.jwk, n: base64url([...Array<number>(129).fill(0), ...Array<number>(128).fill(255)]) }),
      'RS256',
      'size',
    ],
    [
      'RSA of 2047 bits',
      () => ({ ...rsa.jwk, n: base64url([0x7f, ...Array<number>(255).fill(255)]) }),
      'RS256',
      'size',
    ],
    ['RSA of 16384 bits', () => ({ ...rsa.jwk, n: modulus(2048) }), 'RS256', 'size'],
    ['RSA with an even modulus', () => ({ ...rsa.jwk, n: modulus(256, 0xfe) }), 'RS256', 'value'],
    ['RSA with e = 1', () => ({ ...rsa.jwk, e: 'AQ' }), 'RS256', 'value'],
    ['RSA with e = 0', () => ({ ...rsa.jwk, e: 'AA' }), 'RS256', 'value'],
    ['RSA with an even exponent', () => ({ ...rsa.jwk, e: 'AQAA' }), 'RS256', 'value'],
    ['RSA with a huge exponent', () => ({ ...rsa.jwk, e: base64url([1, 0, 0, 0, 1]) }), 'RS256', 'value'],
    ['RSA with a padded modulus', () => ({ ...rsa.jwk, n: `${rsa.jwk.n}==` }), 'RS256', 'value'],
    ['RSA without an exponent', () => ({ ...rsa.jwk, e: undefined }), 'RS256', 'value'],
    ['EC on an unknown curve', () => ({ ...p256.jwk, crv: 'secp256k1' }), 'ES256', 'curve'],
    ['EC with a short coordinate', () => ({ ...p256.jwk, x: base64url(Array<number>(31).fill(1)) }), 'ES256', 'value'],
    ['EC with coordinates of another curve', () => ({ ...p384.jwk, crv: 'P-256' }), 'ES256', 'value'],
    ['EC off its curve', () => ({ ...p256.jwk, y: p256.jwk.x }), 'ES256', 'value'],
    [
      'EC at the origin',
      () => ({ ...p256.jwk, x: base64url(Array<number>(32).fill(0)), y: base64url(Array<number>(32).fill(0)) }),
      'ES256',
      'value',
    ],
    ['OKP for key agreement', () => ({ ...ed25519.jwk, crv: 'X25519' }), 'EdDSA', 'curve'],
    ['OKP of the wrong length', () => ({ ...ed25519.jwk, x: base64url(Array<number>(33).fill(1)) }), 'EdDSA', 'value'],
    ['made only of inherited members', () => ({ ['__proto__']: { ...rsa.jwk } }), 'RS256', 'kty'],
  ])('%s', async (_, jwk, algorithm, check) => {
    const set = await besideAGoodKey({ ...jwk(), kid: 'k' });
    expect(set.find('k', algorithm)).toEqual(none('token_key_unfit', check));
    expect(set.find(null, algorithm).found).not.toBe(algorithm === 'EdDSA' ? 'none' : 'key');
    expect(set.exposed).toBe(check === 'private' ? 1 : 0);
  });

  it.each<[string, () => Record<string, unknown>]>([
    [
      'a modulus behind a zero octet',
      () => ({ ...rsa.jwk, n: base64url([0, ...Buffer.from(rsa.jwk.n ?? '', 'base64url')]) }),
    ],
    ['use and key_ops that agree', () => ({ ...rsa.jwk, use: 'sig', key_ops: ['verify'] })],
    ['members that nobody knows', () => ({ ...rsa.jwk, x5c: ['AAAA'], nbf: 1, __proto: {} })],
  ])('but not one with %s', async (_, jwk) => {
    expect((await parse(keySetText(jwk()))).find('rsa', 'RS256').found).toBe('keys');
  });
});

describe('keys of EdDSA and Ed25519 (RFC 9864)', () => {
  it.each([undefined, 'EdDSA', 'Ed25519'])('a key with alg %s serves tokens of both names', async (alg) => {
    const set = await parse(keySetText({ ...ed25519.jwk, alg }), ['EdDSA', 'Ed25519']);
    expect(set.find('ed', 'EdDSA').found).toBe('keys');
    expect(set.find('ed', 'Ed25519').found).toBe('keys');
  });
});

describe('keys of a SPIFFE bundle', () => {
  const bundle = () => keySetText({ ...p256.jwk, use: 'jwt-svid' }, { ...p384.jwk, use: 'x509-svid' });

  it('count where the use is allowed, those for certificates never', async () => {
    const rules = { algorithms: ['ES256', 'ES384'], uses: ['sig', 'jwt-svid'] };
    const parsed = await parseKeySet(bundle(), rules, null);
    if (!('set' in parsed)) throw new Error(parsed.problem);
    expect(parsed.set.find('p256', 'ES256').found).toBe('keys');
    expect(parsed.set.find('p384', 'ES384').found).toBe('none');
  });

  it('do not count for other issuers', async () => {
    expect(await parseKeySet(bundle(), { algorithms: ['ES256'], uses: ['sig'] }, null)).toEqual({
      problem: 'no_usable_key',
      unusable: [
        { keyId: 'p256', check: 'use' },
        { keyId: 'p384', check: 'use' },
      ],
    });
  });
});

describe('a set ahead of its import', () => {
  it.each<[set: () => string, fault: string | null]>([
    [() => keySetText(p256.jwk), null],
    [() => keySetText(rsa.jwk), 'no usable key (kty)'],
    [() => '{"keys":[]}', 'no usable key'],
    [() => '{}', 'no JSON Web Key Set'],
    [() => 'x', 'no JSON Web Key Set'],
    [() => keySetText({ ...p256.jwk, d: 'x' }), 'a private or symmetric key'],
  ])('%# is judged by its form', (set, fault) => {
    expect(keySetFault(set(), { algorithms: ['ES256'], uses: ['sig'] })).toBe(fault);
  });
});
