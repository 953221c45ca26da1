import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ingressFields } from '../../../lib/request/field-names.ts';
import {
  createIngressProofCheck,
  INGRESS_PROOF_WINDOW_SECONDS,
  type ProvenRequest,
  signIngressProof,
} from '../../../lib/request/ingress-proof.ts';

const SECRET = 'an ingress secret of 32 bytes, 1';
const PREVIOUS = 'an ingress secret of 32 bytes, 0';
const COVERED = ingressFields(['X-Auth-Request-User']);
const AT_SECONDS = 1_790_000_000;
const NONCE = 'c2FsdC1vZi1vbmNl';
function request(fields: Record<string, string> = {}, method = 'POST', target = '/v1/discover?a=1') {
  return {
    method,
    target,
    headers: new Headers({
      host: 'api.example.com',
      'x-forwarded-for': '203.0.113.9',
      'x-auth-request-user': 'alice',
      accept: '*/*',
      ...fields,
    }),
  };
}
function sign(signed: ProvenRequest = request(), secret = SECRET) {
  return signIngressProof(secret, signed, COVERED, AT_SECONDS, NONCE);
}
const check = createIngressProofCheck([SECRET, PREVIOUS], COVERED);
const NOW_MS = AT_SECONDS * 1000;

describe('a good proof', () => {
  it('is what the documented lines give under any HMAC-SHA-256', async () => {
    const lines = [
      'tgefd-ingress-proof v1',
      '1790000000',
      NONCE,
      'POST',
      '/v1/discover?a=1',
      'api.example.com',
      'x-auth-request-user: alice',
      'x-forwarded-for: 203.0.113.9',
    ];
    const signature = createHmac('sha256', SECRET).update(lines.join('\n')).digest('base64url');
    expect(await sign()).toBe(`v1;t=1790000000;n=${NONCE};s=${signature}`);
  });

  it('is accepted, also with fields that no proof covers', async () => {
    expect(await check(await sign(), request({ accept: 'text/html', cookie: 'a=b' }), NOW_MS)).toBeNull();
  });

  it('is accepted under the previous secret while it rotates, and under no other', async () => {
    expect(await check(await sign(request(), PREVIOUS), request(), NOW_MS)).toBeNull();
    expect(await check(await sign(request(), 'another secret of 32 bytes or so'), request(), NOW_MS)).toBe('mismatch');
    expect(await createIngressProofCheck([], COVERED)(await sign(), request(), NOW_MS)).toBe('mismatch');
  });

  it('is counted by the secret that it was made with', async () => {
    const used: string[] = [];
    const counted = createIngressProofCheck([SECRET, PREVIOUS], COVERED, (kind, slot) => used.push(`${kind} ${slot}`));
    for (const secret of [SECRET, PREVIOUS, 'another secret of 32 bytes or so'])
      await counted(await sign(request(), secret), request(), NOW_MS);
    expect(used).toEqual(['ingress_secret current', 'ingress_secret previous']);
  });

  it('covers octets: a field in Latin-1 or UTF-8 is signed as it goes over the wire', async () => {
    const latin = request({ 'x-auth-request-user': 'Andr\u00c3\u00a9' });
    expect(await check(await sign(latin), latin, NOW_MS)).toBeNull();
  });
});

describe('a proof covers', () => {
  const changes: readonly (readonly [string, ProvenRequest])[] = [
    ['the method', request({}, 'GET')],
    ['the path', request({}, 'POST', '/v1/evaluate?a=1')],
    ['the query', request({}, 'POST', '/v1/discover?a=2')],
    ['the host', request({ host: 'other.example.com' })],
    ['the identity', request({ 'x-auth-request-user': 'mallory' })],
    ['the client address', request({ 'x-forwarded-for': '198.51.100.7' })],
    ...COVERED.filter((name) => name !== 'x-auth-request-user' && name !== 'x-forwarded-for').map(
      (name) => [`the absence of ${name}`, request({ [name]: 'x' })] as const,
    ),
  ];
  it.each(changes)('%s', async (_what, changed) => {
    expect(await check(await sign(), changed, NOW_MS)).toBe('mismatch');
  });

  it('the presence of a field', async () => {
    const without = request();
    without.headers.delete('x-auth-request-user');
    expect(await check(await sign(), without, NOW_MS)).toBe('mismatch');
  });

  it('a field once: sent twice it is another value', async () => {
    const twice = request();
    twice.headers.append('x-auth-request-user', 'mallory');
    expect(await check(await sign(), twice, NOW_MS)).toBe('mismatch');
  });

  it('its own time and nonce', async () => {
    const proof = await sign();
    expect(await check(proof.replace('t=1790000000', 't=1790000001'), request(), NOW_MS)).toBe('mismatch');
    expect(await check(proof.replace(NONCE, 'b3RoZXItbm9uY2U'), request(), NOW_MS)).toBe('mismatch');
  });
});

describe('time', () => {
  const windowMs = INGRESS_PROOF_WINDOW_SECONDS * 1000;
  it.each([
    [0, null],
    [windowMs, null],
    [-windowMs, null],
    [windowMs + 1, 'expired'],
    [-windowMs - 1, 'expired'],
  ])('%i ms off', async (offsetMs, problem) => {
    expect(await check(await sign(), request(), NOW_MS + offsetMs)).toBe(problem);
  });
});

describe('what is no proof', () => {
  it.each([
    ['empty', () => ''],
    ['another version', (proof: string) => proof.replace('v1', 'v2')],
    ['sent twice', (proof: string) => `${proof}, ${proof}`],
    ['without a nonce', (proof: string) => proof.replace(/n=[^;]*;/, '')],
    ['with an empty nonce', (proof: string) => proof.replace(/n=[^;]*/, 'n=')],
    ['with another order', (proof: string) => proof.replace(/(t=[^;]*);(n=[^;]*)/, '$2;$1')],
    ['with a negative time', (proof: string) => proof.replace('t=', 't=-')],
    ['with a time of many digits', (proof: string) => proof.replace('t=', 't=0000000000')],
    ['with a short signature', (proof: string) => proof.slice(0, -1)],
    ['with a padded signature', (proof: string) => `${proof}=`],
    ['with bits behind the signature', (proof: string) => `${proof.slice(0, -1)}B`],
    ['with spaces', (proof: string) => proof.replaceAll(';', '; ')],
  ])('%s', async (_what, spoil) => {
    expect(await check(spoil(await sign()), request(), NOW_MS)).toBe('malformed');
  });
});

describe('what no proof can cover', () => {
  it('a value with a line break cannot stand for two fields', async () => {
    const injected = new Map([
      ['host', 'api.example.com'],
      ['x-auth-request-user', 'alice\nx-forwarded-for: 203.0.113.9'],
    ]);
    const headers = { get: (name: string) => injected.get(name) ?? null, [Symbol.iterator]: () => injected.entries() };
    expect(await check(await sign(), { ...request(), headers }, NOW_MS)).toBe('mismatch');
    await expect(sign({ ...request(), headers })).rejects.toThrow(RangeError);
  });

  it('a character that is no octet is not rounded to one', async () => {
    const wide = { ...request(), target: '/v1/discover?a=\u0131' };
    expect(await check(await sign(), wide, NOW_MS)).toBe('mismatch');
    await expect(sign(wide)).rejects.toThrow(RangeError);
  });
});
