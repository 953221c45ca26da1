import { beforeEach, describe, expect, it } from 'vitest';
import { createIntrospect, type IntrospectionSettings } from '../../../lib/authenticate/introspection/introspect.ts';
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

function make(changes: Partial<IntrospectionSettings> = {}) {
  const introspect = createIntrospect(
    {
      url: 'https://issuer.example/introspect',
      clientId: 'the api',
      clientSecret: async () => 's:cret',
      timeoutMs: 50,
      issuer,
      cacheSeconds: 5,
      cacheKey: 'k'.repeat(32),
      maximumQuestionsOfAddress: 0,
      ...changes,
    },
    {
      fetch: (_, init = {}) => {
        asked.push(init);
        return answer();
      },
      clock: () => nowMs,
      sharePromises: false,
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
    ['is an error', json(good, 500)],
    ['refuses the client', json({ error: 'invalid_client' }, 401)],
    ['is a redirect', async () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['is huge', json({ ...good, padding: 'x'.repeat(70_000) })],
    ['is a list', json([good])],
    [
      'has a member twice',
      async () => new Response('{"active":false,"active":true}', { headers: { 'content-type': 'application/json' } }),
    ],
    ['never comes', () => new Promise((_, reject) => setTimeout(() => reject(new Error('slow')), 60))],
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

  it('of one address waits for no more answers at a time than the address may fail', async () => {
    const ask = make({ maximumQuestionsOfAddress: 3 });
    answer = () => new Promise((resolve) => setTimeout(() => resolve(Response.json(good)), 20));
    const outcomes = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(`token-${i}`)));
    expect(outcomes.filter(({ outcome }) => outcome === 'active')).toHaveLength(3);
  });
});
