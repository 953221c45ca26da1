import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hidingValues, sentenceWithoutSecrets, shownValue, withoutSecrets } from '../../../lib/config/masking.ts';

const hex = randomBytes(24).toString('hex');
const base64 = `${randomBytes(12).toString('base64')}/${randomBytes(9).toString('base64')}+A==`;
const jwt = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"sub":"a"}').toString('base64url')}.${hex}`;

const ordinary = new Set(['PRIVATE', 'example']);

describe('a refused value', () => {
  test.each([
    ['a hexadecimal key', hex],
    ['base64 with slashes', base64],
    ['base64url', randomBytes(24).toString('base64url')],
    ['a UUID', randomUUID()],
    ['a JWT', jwt],
    ['a key among words', `use ${hex} please`],
    ['a list of keys', `${hex},${hex}`],
    ['a private JWK', `{"kty":"OKP","crv":"Ed25519","x":"AA","d":"${hex}"}`],
    ['PEM', `-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----`],
    ['a key in a query', `https://host.example/?token=${hex}`],
    ['a key in a path', `https://host.example/hooks/${hex}`],
    ['a key as a host', `https://${hex}`],
  ])('shows no part of %s', (_, value) => {
    const shown = shownValue(value);
    for (const secret of value.match(/[\w+/=-]{8,}/g) ?? [])
      for (const part of secret.split(/[/-]+/).filter((piece) => piece.length >= 8 && !ordinary.has(piece)))
        expect(shown).not.toContain(part);
  });

  test.each([
    ['rediss://default:tok@redis.example:6379', 'rediss://[user information]@redis.example:6379'],
    ['https://u:p@ss/w@host.example/a', 'https://[user information]@host.example/a'],
    ['user:secret@host.example', '[user information]@host.example'],
    ['https://tok@host.example', 'https://[user information]@host.example'],
    ['//user:pw@host', '[user information]@host'],
  ])('hides the user information of %s', (value, shown) => {
    expect(shownValue(value)).toBe(JSON.stringify(shown));
  });

  test.each([
    'sometimes',
    'http://issuer.example/realms/production/protocol/openid-connect/certs',
    'https://gusc1-merry-mackerel-32145.upstash.io',
    'https://issuer.example/.well-known/openid-configuration',
    '10.0.0.0/8, 192.168.0.0/16',
  ])('shows %s as it is', (value) => {
    expect(shownValue(value)).toBe(JSON.stringify(value));
  });

  test('is masked before it is cut', () => {
    const shown = shownValue(`${'a '.repeat(34)}${hex}`);
    expect(shown).not.toContain(hex.slice(0, 8));
  });

  test('of a secret is told by its bytes', () => {
    expect(shownValue('pässword', true)).toBe('9 bytes');
    expect(shownValue('', true)).toBe('an empty value');
  });
});

test('masking twice changes nothing more', () => {
  for (const value of [hex, base64, jwt, `rediss://default:${hex}@h`, `https://a.example/${hex}?k=${hex}`])
    expect(withoutSecrets(withoutSecrets(value))).toBe(withoutSecrets(value));
});

test('a sentence keeps its words and loses what it quotes', () => {
  expect(sentenceWithoutSecrets(`"${base64}" is not an address range such as 10.0.0.0/8`)).toMatch(
    /^"\[\d+ characters\](==)?" is not an address range such as 10\.0\.0\.0\/8$/,
  );
  expect(sentenceWithoutSecrets('`at least one asymmetric algorithm, since TGEFD_JWKS_URL is given`')).toContain(
    'TGEFD_JWKS_URL',
  );
});

test('hides the value of a configured secret wherever it turns up', () => {
  expect(hidingValues(['hunter2!', 'ab'])('"hunter2!" and ab')).toBe('"[8 characters]" and ab');
});
