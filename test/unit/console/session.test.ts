import { describe, expect, test } from 'vitest';
import { isFromOwnPage, isSame, originOf } from '../../../lib/console/session/origin.ts';
import { createSeal } from '../../../lib/console/session/seal.ts';
import { beginSession, COOKIE, SESSION_SECONDS, sessionOf } from '../../../lib/console/session/session.ts';
import type { Principal } from '../../../lib/decision/principal.ts';
import type { AccessRequest } from '../../../lib/decision/request.ts';
import { rawFields } from '../../../lib/request/raw-fields.ts';

const NOW = 1_800_000_000;
const [KEY, OTHER_KEY] = ['a key of at least thirty-two bytes', 'another key of thirty-two bytes or so'];

const olga: Principal = {
  method: 'jwt',
  subject: 'olga',
  identity: 'olga',
  issuer: 'https://id.example',
  claims: { secret: 'of the token' },
  scopes: ['console'],
  roles: [],
  keyId: 'k1',
  tokenId: 't1',
  issuedAtSeconds: NOW - 60,
  expiresAtSeconds: NOW + 60,
  thumbprint: null,
};

function access(fields: Record<string, string>, secure: boolean | null = null): AccessRequest {
  const hop = { peerAddress: '127.0.0.1', secure, certificate: null };
  return { door: 'gateway', method: 'POST', target: '/', headers: rawFields(Object.entries(fields).flat()), hop };
}

function browser(fields: Record<string, string> = {}) {
  return rawFields(Object.entries({ 'user-agent': 'a browser', ...fields }).flat());
}

describe('the origin of the console', () => {
  const configured = new URL('https://console.example');
  test.each<[string, string, URL | null, boolean | null, string | null]>([
    ['the configured host', 'console.example', configured, true, 'https://console.example'],
    ['loopback beside a configured host', 'localhost:8081', configured, null, 'http://localhost:8081'],
    ['loopback over TLS', '127.0.0.1:8081', null, true, 'https://127.0.0.1:8081'],
    ['loopback by IPv6', '[::1]:8081', null, null, 'http://[::1]:8081'],
    ['another name', 'evil.example', null, null, null],
    ['a name that begins as loopback does', '127.0.0.1.evil.example', null, null, null],
    ['the configured host with another port', 'console.example:8443', configured, true, null],
    ['no host', '', null, null, null],
  ])('by %s', (_name, host, url, secure, expected) => {
    expect(originOf(access({ host }, secure), url)).toBe(expected);
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['with the origin and same-origin', { origin: 'http://a', 'sec-fetch-site': 'same-origin' }, true],
    ['with the origin alone', { origin: 'http://a' }, true],
    ['with another origin', { origin: 'http://b', 'sec-fetch-site': 'same-origin' }, false],
    ['without an origin', { 'sec-fetch-site': 'same-origin' }, false],
    ['from another site', { origin: 'http://a', 'sec-fetch-site': 'cross-site' }, false],
    ['typed in by hand', { origin: 'http://a', 'sec-fetch-site': 'none' }, false],
  ])('a form %s comes from a page of ours: %j', (_name, fields, expected) => {
    expect(isFromOwnPage(access(fields), 'http://a')).toBe(expected);
  });

  test.each([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'ab', false],
    ['ab', 'abab', false],
    ['', 'a', false],
    ['a', '', false],
  ])('%j and %j are the same: %j', (left, right, expected) => {
    expect(isSame(left, right)).toBe(expected);
  });
});

describe('a session', () => {
  const seal = createSeal([KEY]);

  test('is carried by the browser, without the claims of its token', async () => {
    const { session, sealed } = await beginSession(olga, browser(), seal, NOW);
    expect(sealed).not.toContain('olga');
    const found = await sessionOf(browser({ cookie: `a=b; ${COOKIE}=${sealed}` }), seal, NOW + 1);
    expect(session).toMatchObject({ ...found });
    expect(found?.principal).toEqual({ ...olga, claims: null });
  });

  test.each<[string, Record<string, string>, number]>([
    ['after 15 minutes', {}, SESSION_SECONDS],
    ['in another browser', { 'user-agent': 'another' }, 1],
    ['on another platform', { 'sec-ch-ua-platform': 'another' }, 1],
  ])('is none %s', async (_name, fields, later) => {
    const { sealed } = await beginSession(olga, browser(), seal, NOW);
    expect(await sessionOf(browser({ cookie: `${COOKIE}=${sealed}`, ...fields }), seal, NOW + later)).toBeNull();
  });

  test.each(['', 'AAAA', 'not base64url!', 'A'.repeat(400)])('is none by the cookie %j', async (cookie) => {
    expect(await sessionOf(browser({ cookie: `${COOKIE}=${cookie}` }), seal, NOW)).toBeNull();
  });
});

describe('a seal', () => {
  test('opens what it and the secret before it closed, and nothing else', async () => {
    const before = await createSeal([KEY]).close('text');
    expect(await createSeal([OTHER_KEY, KEY]).open(before)).toBe('text');
    expect(await createSeal([OTHER_KEY]).open(before)).toBeNull();
    expect(await createSeal([]).open(before)).toBeNull();
  });

  test('does not open what was altered', async () => {
    const seal = createSeal([KEY]);
    const sealed = await seal.close('text');
    for (const at of [0, 20, sealed.length - 2]) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      expect(await seal.open(sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeNull();
    }
  });
});
