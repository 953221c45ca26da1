import { exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { AUDIENCE, CAEP, type Changed, createSignals, eventOf, NOW_SECONDS, TRANSMITTER } from './security-events.ts';

const revoked = eventOf(`${CAEP}/session-revoked`, { event_timestamp: NOW_SECONDS - 10 });

describe('a security event token', () => {
  let signals: Awaited<ReturnType<typeof createSignals>>;
  beforeAll(async () => {
    signals = await createSignals();
  });

  test('that is as it must be counts', async () => {
    expect(await signals.push(revoked)).toMatchObject({ outcome: 'accepted', effect: 'revoked' });
  });

  test.each<[string, Changed, unknown, string, string]>([
    ['for another audience', { claims: { aud: 'https://other.example' } }, revoked, 'invalid_audience', 'aud'],
    ['without an audience', { claims: { aud: undefined } }, revoked, 'invalid_audience', 'aud'],
    [
      'with our audience inside another text',
      { claims: { aud: `${AUDIENCE}.evil` } },
      revoked,
      'invalid_audience',
      'aud',
    ],
    ['with a list in the audience', { claims: { aud: [[AUDIENCE]] } }, revoked, 'invalid_audience', 'aud'],
    ['of another issuer', { claims: { iss: 'https://evil.example' } }, revoked, 'invalid_issuer', 'iss'],
    ['of an issuer with a slash behind it', { claims: { iss: `${TRANSMITTER}/` } }, revoked, 'invalid_issuer', 'iss'],
    ['without an issuer', { claims: { iss: undefined } }, revoked, 'invalid_issuer', 'iss'],
    ['without an id', { claims: { jti: undefined } }, revoked, 'invalid_request', 'jti'],
    ['with a number for an id', { claims: { jti: 7 } }, revoked, 'invalid_request', 'jti'],
    ['without an instant of issue', { claims: { iat: undefined } }, revoked, 'invalid_request', 'iat'],
    ['from the future', { claims: { iat: NOW_SECONDS + 3600 } }, revoked, 'invalid_request', 'iat'],
    ['with a text for an instant', { claims: { iat: `${NOW_SECONDS}` } }, revoked, 'invalid_request', 'iat'],
    ['that has expired', { claims: { exp: NOW_SECONDS - 3600 } }, revoked, 'invalid_request', 'exp'],
    ['that is not valid yet', { claims: { nbf: NOW_SECONDS + 3600 } }, revoked, 'invalid_request', 'nbf'],
    ['whose event will happen', { claims: { toe: NOW_SECONDS + 3600 } }, revoked, 'invalid_request', 'toe'],
    ['without events', {}, undefined, 'invalid_request', 'events'],
    ['with no event in it', {}, {}, 'invalid_request', 'events'],
    ['with a list of events', {}, [revoked], 'invalid_request', 'events'],
    ['with a text for a payload', {}, { [`${CAEP}/session-revoked`]: 'now' }, 'invalid_request', 'events'],
    ['typed as an access token', { header: { typ: 'at+jwt' } }, revoked, 'invalid_request', 'typ'],
    ['typed as any JWT', { header: { typ: 'JWT' } }, revoked, 'invalid_request', 'typ'],
    ['typed as a logout token', { header: { typ: 'logout+jwt' } }, revoked, 'invalid_request', 'typ'],
    ['without a type', { header: { typ: undefined } }, revoked, 'invalid_request', 'typ'],
    ['by a key that nobody publishes', { header: { kid: 'other' } }, revoked, 'invalid_key', 'key'],
  ])('%s is refused', async (_, changed, events, error, check) => {
    expect(await signals.push(events, changed)).toMatchObject({ outcome: 'refused', error, check });
  });

  test('signed by another key under the same id is refused', async () => {
    const { privateKey: key } = await generateKeyPair('ES256');
    expect(await signals.push(revoked, { key })).toMatchObject({ error: 'authentication_failed' });
  });

  test('whose algorithm is not listed is refused, none and HS256 with the public key included', async () => {
    const rsa = await generateKeyPair('RS256');
    const text = await signals.token(revoked, { key: rsa.privateKey, header: { alg: 'RS256' } });
    expect(await signals.receive(text)).toMatchObject({ error: 'invalid_key', check: 'alg' });

    const [, claims = ''] = text.split('.');
    const header = (alg: string) =>
      btoa(JSON.stringify({ alg, kid: 'signals-1', typ: 'secevent+jwt' })).replace(/=+$/, '');
    for (const alg of ['none', 'None', 'nOnE'])
      expect(await signals.receive(`${header(alg)}.${claims}.AAAA`)).toMatchObject({ error: 'invalid_key' });
    expect(await signals.receive(`${header('none')}.${claims}.`)).toMatchObject({ error: 'invalid_request' });

    const publicKey = (await importJWK(signals.jwk, 'ES256')) as CryptoKey;
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    const forged = await new SignJWT(JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))))
      .setProtectedHeader({ alg: 'HS256', kid: 'signals-1', typ: 'secevent+jwt' })
      .sign(secret);
    expect(await signals.receive(forged)).toMatchObject({ error: 'invalid_key', check: 'alg' });
  });

  test('that brings its own key is judged by the published one', async () => {
    const { privateKey: key, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await crypto.subtle.exportKey('jwk', publicKey);
    expect(await signals.push(revoked, { key, header: { jwk } })).toMatchObject({ error: 'authentication_failed' });
  });

  test.each(['', 'a', 'a.b', '{}', 'a.b.c.d.e', '..', 'é.é.é'])(
    'that is no compact JWS is refused: %j',
    async (text) => {
      expect(await signals.receive(text)).toMatchObject({ outcome: 'refused', error: 'invalid_request' });
    },
  );
});

describe('where a row lets other types count', () => {
  test('a token of any type with events counts, and an ID or access token does not', async () => {
    const signals = await createSignals({ types: ['secevent+jwt', 'JWT', 'absent'] });
    for (const typ of ['JWT', undefined])
      expect(await signals.push(revoked, { header: { typ } })).toMatchObject({ outcome: 'accepted' });
    const exp = NOW_SECONDS + 60;
    expect(await signals.push(undefined, { header: { typ: 'JWT' }, claims: { exp } })).toMatchObject({ check: 'exp' });
    expect(await signals.push(revoked, { header: { typ: 'JWT' }, claims: { exp } })).toMatchObject({ check: 'exp' });
    expect(await signals.push(revoked, { claims: { exp } })).toMatchObject({ outcome: 'accepted' });
  });
});
