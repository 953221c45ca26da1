import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createIntrospect,
  type IntrospectionParts,
  type IntrospectionSettings,
} from '../../../lib/authenticate/introspection/introspect.ts';
import { createFixedKeySets } from '../../../lib/authenticate/jwks/fixed-key-set.ts';
import type { TokenIssuer } from '../../../lib/authenticate/jwt/token-issuer.ts';
import { compileClaimPath } from '../../../lib/codec/claim-path.ts';

const issuer = {
  spellings: ['https://issuer.example'],
  trustDomain: null,
  algorithms: ['RS256'],
  keySets: null,
  audiences: ['urn:api'],
  audienceClaim: null,
  clockSkewSeconds: 0,
  maximumLifetimeSeconds: 3600,
  required: [],
  subject: [compileClaimPath('sub')],
} as unknown as TokenIssuer;

const good = { active: true, sub: 'alice', aud: 'urn:api', iss: 'https://issuer.example' };
let nowMs: number;
let asked: RequestInit[];
let answer: () => Promise<Response>;

function json(members: object, status = 200): () => Promise<Response> {
  return async () => Response.json(members, { status });
}

/** An answer that comes by itself, or fails once the question is given up, as `fetch` does. */
function aborted(give: () => Promise<Response>): Promise<Response> {
  const { signal } = asked.at(-1) ?? {};
  return Promise.race([
    give(),
    new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted')))),
  ]);
}

function make(changes: Partial<IntrospectionSettings> = {}, parts: Partial<IntrospectionParts> = {}) {
  const introspect = createIntrospect(
    {
      url: 'https://issuer.example/introspect',
      clientId: 'the api',
      clientSecret: async () => 's:cret',
      timeoutMs: 50,
      issuer,
      cacheSeconds: 5,
      cacheKey: 'k'.repeat(32),
      questionsOfAddressPerMinute: 0,
      ...changes,
    },
    {
      fetch: (_, init = {}) => {
        asked.push(init);
        return answer();
      },
      clock: () => nowMs,
      sharePromises: false,
      ...parts,
    },
  );
  const context = { defer() {} };
  return (token = 'opaque', mayAsk = true) => introspect(token, { mayAsk, address: '192.0.2.1', context });
}

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  asked = [];
  answer = json(good);
});

describe('an opaque token', () => {
  it('is asked about once in the time of the cache, as a client that authenticates', async () => {
    const ask = make();
    expect(await ask()).toMatchObject({ outcome: 'active', facts: { subject: 'alice' } });
    expect(await ask()).toMatchObject({ outcome: 'active' });
    expect(asked).toHaveLength(1);
    expect(new Headers(asked[0]?.headers).get('authorization')).toBe(`Basic ${btoa('the+api:s%3Acret')}`);
    expect(String(asked[0]?.body)).toBe('token=opaque&token_type_hint=access_token');
    expect(asked[0]?.redirect).toBe('manual');
    nowMs += 5000;
    await ask();
    expect(asked).toHaveLength(2);
  });

  it('is remembered no longer than it lives', async () => {
    answer = json({ ...good, iat: nowMs / 1000, exp: nowMs / 1000 + 2 });
    const ask = make();
    await ask();
    nowMs += 2000;
    expect((await ask()).outcome).toBe('refused');
    expect(asked).toHaveLength(2);
  });

  it.each<[string, object, string]>([
    ['is not active', { active: false }, 'token_inactive'],
    ['is active as a text', { ...good, active: 'true' }, 'token_inactive'],
    ['is active as a number', { ...good, active: 1 }, 'token_inactive'],
    ['has no word about it', { sub: 'alice' }, 'token_inactive'],
    ['is of another issuer', { ...good, iss: 'https://evil.example' }, 'token_issuer_unknown'],
    ['is for another audience', { ...good, aud: 'urn:other' }, 'token_claim_invalid'],
    ['is for no audience', { ...good, aud: undefined }, 'token_claim_missing'],
    ['has ended', { ...good, iat: 1, exp: 2 }, 'token_expired'],
    ['lives too long', { ...good, iat: 1_800_000_000, exp: 1_800_010_000 }, 'token_lifetime_too_long'],
    ['names nobody', { ...good, sub: undefined }, 'token_claim_missing'],
  ])('is refused that %s, and the answer is remembered', async (_, members, reason) => {
    answer = json(members);
    const ask = make();
    for (let i = 0; i < 2; i++) expect(await ask()).toMatchObject({ outcome: 'refused', reason: { reason } });
    expect(asked).toHaveLength(1);
  });

  it.each<[string, () => Promise<Response>]>([
    ['is HTML', async () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    [
      'is JSON that is told as HTML',
      async () => new Response(JSON.stringify(good), { headers: { 'content-type': 'text/html' } }),
    ],
    ['is an error', json(good, 500)],
    ['refuses the client', json({ error: 'invalid_client' }, 401)],
    ['is a redirect', async () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['is huge', json({ ...good, padding: 'x'.repeat(70_000) })],
    ['is a list', json([good])],
    [
      'has a member twice',
      async () => new Response('{"active":false,"active":true}', { headers: { 'content-type': 'application/json' } }),
    ],
    ['never comes', () => aborted(() => new Promise(() => undefined))],
    [
      'begins and never ends',
      () =>
        aborted(async () => new Response(new ReadableStream(), { headers: { 'content-type': 'application/json' } })),
    ],
    [
      'is signed by nobody we know',
      async () => new Response('e30.e30.AA', { headers: { 'content-type': 'application/token-introspection+jwt' } }),
    ],
  ])('is our outage when the answer %s', async (_, faulty) => {
    answer = faulty;
    const ask = make();
    expect((await ask()).outcome).toBe('unavailable');
    answer = json(good);
    expect((await ask()).outcome).toBe('active');
  });

  it('is not asked about for an address that has failed too often, unless it is remembered', async () => {
    const ask = make();
    expect(await ask('unknown', false)).toMatchObject({ outcome: 'refused' });
    expect(asked).toHaveLength(0);
    await ask('known');
    expect((await ask('known', false)).outcome).toBe('active');
  });

  it('is asked about by all addresses together at most fifty times a second', async () => {
    const ask = make();
    const outcomes = [];
    for (let i = 0; i < 60; i++) outcomes.push((await ask(`token-${i}`)).outcome);
    expect(outcomes.filter((outcome) => outcome === 'unavailable')).toHaveLength(10);
    nowMs += 1000;
    expect((await ask('token-later')).outcome).toBe('active');
  });

  it('of one address is asked about no more often in a minute than the address may fail', async () => {
    const ask = make({ questionsOfAddressPerMinute: 3 });
    const outcomes = [];
    for (let i = 0; i < 5; i++) outcomes.push((await ask(`token-${i}`)).outcome);
    expect(outcomes).toEqual(['active', 'active', 'active', 'throttled', 'throttled']);
    nowMs += 59_000;
    expect(await ask('token-9')).toEqual({ outcome: 'throttled', retryAfterSeconds: 1 });
    nowMs += 1_000;
    expect((await ask('token-9')).outcome).toBe('active');
  });

  it('that was active is asked about again, whatever its address has spent', async () => {
    const ask = make({ questionsOfAddressPerMinute: 1 });
    await ask('known');
    expect((await ask('unknown')).outcome).toBe('throttled');
    nowMs += 6_000;
    expect((await ask('known')).outcome).toBe('active');
    nowMs += 6_000;
    expect((await ask('known', false)).outcome).toBe('active');
    expect(asked).toHaveLength(3);
    answer = json({ active: false });
    nowMs += 6_000;
    expect((await ask('known')).outcome).toBe('refused');
    nowMs += 6_000;
    expect((await ask('known')).outcome).toBe('throttled');
  });

  it('costs no promise while it is remembered, where the runtime has an HMAC at once', async () => {
    const ask = make({}, { hmac: (key, text) => new TextEncoder().encode(`${key} ${text}`) });
    expect(ask('opaque')).toBeInstanceOf(Promise);
    await ask('opaque');
    expect(ask('opaque')).toMatchObject({ outcome: 'active' });
  });

  it('is remembered under an HMAC of the key of the process', async () => {
    const named: [string, string][] = [];
    const hmac = (key: string, text: string) => {
      named.push([key, text]);
      return new Uint8Array(32);
    };
    await make({}, { hmac })('opaque');
    expect(named).toEqual([['k'.repeat(32), 'opaque']]);
  });
});

describe('a signed answer (RFC 9701)', () => {
  const typ = 'token-introspection+jwt';
  let key: CryptoKey;
  let signingIssuer: TokenIssuer;
  beforeAll(async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    key = privateKey;
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    const keySets = createFixedKeySets(JSON.stringify({ keys: [jwk] }), { algorithms: ['ES256'], uses: ['sig'] });
    signingIssuer = { ...issuer, algorithms: ['ES256'], keySets };
  });

  const outcomeOf = async (claims: object, header: object = {}) => {
    const all = {
      iss: 'https://issuer.example',
      aud: 'the api',
      iat: nowMs / 1000,
      token_introspection: good,
      ...claims,
    };
    const text = await new SignJWT(JSON.parse(JSON.stringify(all)))
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ, ...header })
      .sign(key);
    answer = async () => new Response(text, { headers: { 'content-type': `application/${typ}` } });
    return (await make({ issuer: signingIssuer })()).outcome;
  };

  it('counts as one that is not signed does', async () => {
    expect(await outcomeOf({})).toBe('active');
    expect(await outcomeOf({ aud: ['other', 'the api'] })).toBe('active');
    expect(await outcomeOf({ token_introspection: { active: false } })).toBe('refused');
  });

  it.each<[string, object, object]>([
    ['is for another client', { aud: 'another client' }, {}],
    ['is for nobody', { aud: undefined }, {}],
    ['is of another issuer', { iss: 'https://evil.example' }, {}],
    ['holds no answer', { token_introspection: undefined }, {}],
    ['holds a text for an answer', { token_introspection: 'active' }, {}],
    ['does not say when it was made', { iat: undefined }, {}],
    ['was made longer ago than answers are kept', { iat: 1_800_000_000 - 6 }, {}],
    ['is from the future', { iat: 1_800_000_000 + 1 }, {}],
    ['is an access token', {}, { typ: 'at+jwt' }],
    ['has no type', {}, { typ: undefined }],
    ['is signed by an unknown key', {}, { kid: 'k2' }],
  ])('is our outage when it %s', async (_, claims, header) => {
    expect(await outcomeOf(claims, header)).toBe('unavailable');
  });
});
