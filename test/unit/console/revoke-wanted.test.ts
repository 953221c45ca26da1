import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeBase64url } from '../../../lib/codec/base64url.ts';
import { utf8 } from '../../../lib/codec/digest.ts';
import { entryWanted, readWanted } from '../../../lib/console/revoke/wanted.ts';

const NOW = 1_800_000_000;
const WEEK = 7 * 24 * 3600;

function jwt(claims: object): string {
  const part = (value: object) => encodeBase64url(utf8(JSON.stringify(value)));
  return `${part({ alg: 'ES256' })}.${part(claims)}.${encodeBase64url(new Uint8Array(64))}`;
}

async function read(form: Record<string, string>) {
  return readWanted(new URLSearchParams(form), NOW);
}

async function entry(form: Record<string, string>) {
  const wanted = await read(form);
  return wanted.found === 'entry' ? entryWanted(wanted, NOW, 'olga') : wanted.problem;
}

const der = Buffer.from('a certificate');
const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----`;
const thumbprint = createHash('sha256').update(der).digest('base64url');
const kept = { reason: null, createdAtSeconds: NOW, by: 'olga' };

describe('the form of the screen Revoke', () => {
  test.each<[string, Record<string, string>, object]>([
    [
      'a caller, up to now',
      { kind: 'sub', id: ' alice ' },
      { kind: 'sub', id: 'alice', beforeSeconds: NOW + 1, expiresAtSeconds: NOW + WEEK },
    ],
    [
      'a caller at one issuer, always',
      { kind: 'sub', id: 'alice', issuer: 'https://id.example', cut: 'always', expires: `${NOW + 60}` },
      { kind: 'sub', id: 'https://id.example\nalice', beforeSeconds: NOW + 60, expiresAtSeconds: NOW + 60 },
    ],
    [
      'tokens issued before a time',
      { kind: 'sub', id: 'alice', cut: 'time', before: '2027-01-15T07:00' },
      { kind: 'sub', id: 'alice', beforeSeconds: 1_799_996_400, expiresAtSeconds: NOW + WEEK },
    ],
    [
      'a token until ten minutes after it expires',
      { kind: 'token', id: `Bearer ${jwt({ jti: 't1', exp: NOW + 300 })}` },
      { kind: 'jti', id: 't1', beforeSeconds: null, expiresAtSeconds: NOW + 900 },
    ],
    [
      'a token that was broken into lines',
      { kind: 'token', id: jwt({ jti: 't1' }).replace('.', '.\n  ') },
      { kind: 'jti', id: 't1', beforeSeconds: null, expiresAtSeconds: NOW + WEEK },
    ],
    [
      'a token that lives too long',
      { kind: 'token', id: jwt({ jti: 't1', exp: NOW * 2 }) },
      { kind: 'jti', id: 't1', beforeSeconds: null, expiresAtSeconds: NOW + 400 * 24 * 3600 },
    ],
    [
      'a certificate as PEM',
      { kind: 'thumbprint', id: pem },
      { kind: 'thumbprint', id: thumbprint, beforeSeconds: null, expiresAtSeconds: NOW + WEEK },
    ],
    [
      'a signing key, whatever the cut-off says',
      { kind: 'kid', id: 'k1', cut: 'always' },
      { kind: 'kid', id: 'k1', beforeSeconds: null, expiresAtSeconds: NOW + WEEK },
    ],
  ])('reads %s', async (_name, form, expected) => {
    expect(await entry(form)).toEqual({ ...kept, ...expected });
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['an unknown kind', { kind: 'iss', id: 'x' }, /nothing that can be revoked/],
    ['an empty name', { kind: 'sub', id: ' ' }, /field is empty/],
    ['an issuer of a key', { kind: 'kid', id: 'k', issuer: 'https://id.example' }, /caller only/],
    ['a name with a control character', { kind: 'sub', id: 'a\nb' }, /control characters/],
    ['a name that is too long', { kind: 'jti', id: 'a'.repeat(513) }, /512 characters/],
    ['a long reason', { kind: 'kid', id: 'k', reason: 'a'.repeat(257) }, /256 characters/],
    ['a time that is none', { kind: 'sub', id: 'a', cut: 'time', before: 'yesterday' }, /has the form/],
    ['no time where one is announced', { kind: 'sub', id: 'a', cut: 'time' }, /has the form/],
    ['an opaque token', { kind: 'token', id: 'abc' }, /no JWT/],
    ['a token that has expired', { kind: 'token', id: jwt({ jti: 't', exp: NOW - 601 }) }, /has expired/],
  ])('refuses %s', async (_name, form, said) => {
    expect(await entry(form)).toMatch(said);
  });

  test.each([
    ['in the past', NOW],
    ['after 400 days', NOW + 400 * 24 * 3600 + 1],
  ])('keeps no entry that ends %s', async (_name, expires) => {
    expect(await entry({ kind: 'kid', id: 'k', expires: `${expires}` })).toBeNull();
  });

  test('offers the caller of a token without an id', async () => {
    expect(await read({ kind: 'token', id: jwt({ sub: 'alice', iss: 'https://id.example' }) })).toMatchObject({
      found: 'problem',
      values: { what: 'sub', id: 'alice', issuer: 'https://id.example' },
    });
  });

  test('gives a token back to no form', async () => {
    const token = jwt({ jti: 't', exp: NOW - 601 });
    expect(JSON.stringify(await read({ kind: 'token', id: token }))).not.toContain(token.slice(0, 20));
  });
});
