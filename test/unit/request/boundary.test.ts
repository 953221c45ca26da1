import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCertificateReader } from '../../../lib/authenticate/certificate/client-certificate.ts';
import type { AccessRequest } from '../../../lib/decision/request.ts';
import { parseCidrs } from '../../../lib/request/addresses.ts';
import { type BoundarySettings, createBoundary } from '../../../lib/request/boundary.ts';
import { ingressFields } from '../../../lib/request/field-names.ts';
import { signIngressProof } from '../../../lib/request/ingress-proof.ts';

const SECRET = 'an ingress secret of 32 bytes, 1';
const AT_SECONDS = 1_790_000_000;
const NOW_MS = AT_SECONDS * 1000;
const PROXY = '10.0.0.1';
const STRANGER = '203.0.113.9';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const settings: BoundarySettings = {
  trustedProxies: parseCidrs('10.0.0.0/8, 2001:db8:aaaa::/48').ranges,
  ingressSecrets: [SECRET],
  identityHeader: 'x-auth-request-user',
  ingressHeaders: ['x-ssl-client-subject'],
  traceSampleRatio: 0,
};
const EVERYTHING = {
  host: 'internal:8080',
  'x-forwarded-for': '198.51.100.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'api.example.com',
  'x-request-id': 'req-1',
  'x-auth-request-user': 'alice',
  'x-ssl-client-subject': 'CN=alice',
  traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
};

let ids = 0;
const examine = createBoundary(settings, { newId: () => `new-${++ids}` });
function request(
  peerAddress: string | null,
  fields: Record<string, string> = {},
  secure: boolean | null = false,
): AccessRequest {
  return {
    door: 'gateway',
    method: 'POST',
    target: '/v1/discover',
    headers: new Headers(fields),
    hop: { peerAddress, secure, certificate: null },
  };
}
function at(asked: AccessRequest, by = examine) {
  const examined = by(asked, NOW_MS);
  if (examined instanceof Promise) throw new Error('nothing had to be waited for');
  return examined;
}

describe('a stranger', () => {
  const { boundary, denial } = at(request(STRANGER, EVERYTHING));

  it('is believed nothing about itself', () => {
    expect(denial).toBeNull();
    expect(boundary).toMatchObject({
      trustedHop: false,
      clientAddress: STRANGER,
      addressPartition: STRANGER,
      secure: false,
      host: 'internal:8080',
      ingressIdentity: null,
    });
    expect(boundary.requestId).toMatch(/^new-/);
    for (const name of Object.keys(EVERYTHING)) expect(boundary.believed.get(name)).toBeNull();
    expect([...boundary.believed]).toEqual([]);
  });

  it('may still continue a trace', () => {
    expect(boundary.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`)); // not kept: the ratio here is 0
    expect(boundary.parentSpanId).toBe('00f067aa0ba902b7');
    expect(boundary.traceparent).not.toContain('00f067aa0ba902b7');
  });

  it.each([
    ['x-forwarded-for', 'garbage'],
    ['x-forwarded-proto', 'https, http'],
    ['x-forwarded-host', 'a, b'],
    ['x-auth-request-user', 'a, b'],
    ['x-request-id', 'a b'],
  ])('is not refused for %s: %s, which nobody reads', (name, value) => {
    expect(at(request(STRANGER, { host: 'h', [name]: value })).denial).toBeNull();
  });

  it.each([
    ['just outside the range', '11.0.0.1'],
    ['in the range by its last octets only', '110.0.0.1'],
    ['an IPv4-compatible address, which is no IPv4 address', '::10.0.0.1'],
    ['a zone', 'fe80::1%eth0'],
    ['no address at all', 'localhost'],
    ['empty', ''],
    ['a header in disguise', '10.0.0.1, 203.0.113.9'],
  ])('is one whose address is %s', (_what, peer) => {
    expect(at(request(peer, EVERYTHING)).boundary.trustedHop).toBe(false);
  });

  it('is everybody where no proxy is trusted', () => {
    const trustNobody = createBoundary({ ...settings, trustedProxies: [], ingressSecrets: [] }, { newId: () => 'n' });
    for (const peer of [PROXY, '127.0.0.1', '::1', null])
      expect(at(request(peer, EVERYTHING), trustNobody).boundary.trustedHop).toBe(false);
  });

  it('cannot move between budgets by what it sends', () => {
    const partitions = ['1.1.1.1', '2.2.2.2', '10.0.0.9'].map(
      (forwarded) =>
        at(request(STRANGER, { 'x-forwarded-for': forwarded, 'x-real-ip': forwarded })).boundary.addressPartition,
    );
    expect(new Set(partitions)).toEqual(new Set([STRANGER]));
  });

  it('has no address where the platform knows none', () => {
    expect(at(request(null, EVERYTHING)).boundary).toMatchObject({ clientAddress: null, addressPartition: null });
  });
});

describe('a trusted hop', () => {
  it('is believed', () => {
    const { boundary, denial } = at(request(PROXY, EVERYTHING));
    expect(denial).toBeNull();
    expect(boundary).toMatchObject({
      trustedHop: true,
      clientAddress: '198.51.100.7',
      secure: true,
      host: 'api.example.com',
      requestId: 'req-1',
      ingressIdentity: 'alice',
    });
    expect(boundary.believed.get('x-ssl-client-subject')).toBe('CN=alice');
  });

  it('is one by an IPv4-mapped address and by IPv6 too', () => {
    for (const peer of ['::ffff:10.0.0.1', '2001:db8:aaaa::7'])
      expect(at(request(peer, EVERYTHING)).boundary.trustedHop).toBe(true);
  });

  it('gives IPv6 callers one budget for each /64', () => {
    const { boundary } = at(request(PROXY, { ...EVERYTHING, 'x-forwarded-for': '2001:db8:1:2:3::9' }));
    expect(boundary).toMatchObject({ clientAddress: '2001:db8:1:2:3::9', addressPartition: '2001:db8:1:2::/64' });
  });

  it('that forwards for nobody is the caller itself', () => {
    expect(at(request(PROXY, { host: 'h' }, true)).boundary).toMatchObject({
      clientAddress: PROXY,
      secure: true,
      host: 'h',
    });
    expect(at(request(PROXY, { host: 'h' }, false)).boundary.secure).toBe(false);
  });

  it('that forwards and does not tell the scheme leaves it unknown', () => {
    expect(at(request(PROXY, { host: 'h', 'x-forwarded-for': STRANGER }, true)).boundary.secure).toBeNull();
  });

  it.each([
    ['x-forwarded-for', '203.0.113.9, unknown'],
    ['x-forwarded-proto', 'https, http'],
    ['x-forwarded-proto', 'gopher'],
    ['x-forwarded-host', 'a.example, b.example'],
    ['x-auth-request-user', 'alice, mallory'],
    ['x-auth-request-user', 'alice,mallory'],
    ['x-auth-request-user', 'al\tice'],
    ['x-auth-request-user', 'Andr\u00e9'],
    ['x-auth-request-user', 'a'.repeat(257)],
  ])('is refused for %s: %s', (field, value) => {
    const { boundary, denial } = at(request(PROXY, { ...EVERYTHING, [field]: value }));
    expect(denial).toEqual({ reason: 'forwarded_invalid', field });
    expect(boundary.ingressIdentity).toBe(field === 'x-auth-request-user' ? null : 'alice');
  });

  it('is refused for an identity field sent twice', () => {
    const twice = request(PROXY, EVERYTHING);
    (twice.headers as Headers).append('x-auth-request-user', 'mallory');
    expect(at(twice).denial).toEqual({ reason: 'forwarded_invalid', field: 'x-auth-request-user' });
  });

  it.each(['', ' ', '{http.request.tls.client.subject}', '{}'])('names nobody with %j', (value) => {
    const { boundary, denial } = at(request(PROXY, { ...EVERYTHING, 'x-auth-request-user': value }));
    expect(denial).toBeNull();
    expect(boundary.ingressIdentity).toBeNull();
  });

  it('names nobody through another spelling, or where no identity header is configured', () => {
    const { 'x-auth-request-user': _, ...rest } = EVERYTHING;
    expect(at(request(PROXY, { ...rest, x_auth_request_user: 'mallory' })).boundary.ingressIdentity).toBeNull();
    const unnamed = createBoundary({ ...settings, identityHeader: null }, { newId: () => 'n' });
    expect(at(request(PROXY, EVERYTHING), unnamed).boundary.ingressIdentity).toBeNull();
  });

  it.each(['', 'a b', 'a/b', 'a\u00e9', 'x'.repeat(129), 'a, b'])('has request id %j replaced', (id) => {
    expect(at(request(PROXY, { ...EVERYTHING, 'x-request-id': id })).boundary.requestId).toMatch(/^new-/);
  });

  it('does not have its word on Forwarded taken', () => {
    const fields = { ...EVERYTHING, forwarded: 'for=1.1.1.1;proto=http;host=evil.example' };
    expect(at(request(PROXY, fields))).toMatchObject({
      denial: null,
      boundary: { clientAddress: '198.51.100.7', secure: true },
    });
  });
});

describe('Host', () => {
  it.each(['', 'a.example, b.example', 'a b', 'user@host', 'host/path'])('%j is refused of anybody', (host) => {
    for (const peer of [STRANGER, PROXY])
      expect(at(request(peer, { ...EVERYTHING, host })).denial).toEqual({ reason: 'host_invalid' });
  });

  it('may be absent where a door has none', () => {
    expect(at(request(STRANGER))).toMatchObject({ denial: null, boundary: { host: null } });
  });
});

describe('a request with an ingress proof', () => {
  const covered = ingressFields(['x-auth-request-user', 'x-ssl-client-subject']);
  const proven = async (
    peer: string | null,
    fields: Record<string, string> = EVERYTHING,
    added: Record<string, string> = {},
  ) => {
    const { method, target, headers } = request(peer, fields);
    const proof = await signIngressProof(SECRET, { method, target, headers }, covered, AT_SECONDS, 'bm9uY2Vub25jZQ');
    return examine(request(peer, { ...fields, ...added, 'x-tgefd-ingress-proof': proof }), NOW_MS);
  };

  it.each([null, STRANGER])('is believed like one from a trusted proxy, peer %s', async (peer) => {
    const { boundary, denial } = await proven(peer);
    expect(denial).toBeNull();
    expect(boundary).toMatchObject({
      trustedHop: true,
      clientAddress: '198.51.100.7',
      secure: true,
      host: 'api.example.com',
      requestId: 'req-1',
      ingressIdentity: 'alice',
    });
  });

  it('is believed only for what the proof covers', async () => {
    const { boundary } = await proven(STRANGER, EVERYTHING, { 'x-unsigned-role': 'admin' });
    expect(boundary.believed.get('x-unsigned-role')).toBeNull();
    expect(boundary.believed.get('X-Ssl-Client-Subject')).toBe('CN=alice');
    expect([...boundary.believed].map(([name]) => name)).toEqual([
      'x-auth-request-user',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-request-id',
      'x-ssl-client-subject',
    ]);
  });

  it('does not decide that a trace is kept: the proof does not cover the trace', async () => {
    expect((await proven(STRANGER)).boundary.traceparent).toMatch(/-00$/);
    expect(at(request(PROXY, EVERYTHING)).boundary.traceparent).toMatch(/-01$/);
  });

  it('is refused where a covered field was changed on the way, and believed nothing', async () => {
    const { boundary, denial } = await proven(STRANGER, EVERYTHING, { 'x-auth-request-user': 'mallory' });
    expect(denial).toEqual({ reason: 'ingress_proof_invalid', problem: 'mismatch' });
    expect(boundary).toMatchObject({ trustedHop: false, clientAddress: STRANGER, ingressIdentity: null });
  });

  it.each([
    ['v1;t=1', 'malformed'],
    ['', 'malformed'],
    [`v1;t=${AT_SECONDS - 61};n=bm9uY2Vub25jZQ;s=${'A'.repeat(43)}`, 'expired'],
  ])('is refused for %j', async (proof, problem) => {
    const { denial } = await examine(request(STRANGER, { host: 'h', 'x-tgefd-ingress-proof': proof }), NOW_MS);
    expect(denial).toEqual({ reason: 'ingress_proof_invalid', problem });
  });

  it('from a trusted proxy is not looked at: the address suffices', () => {
    expect(at(request(PROXY, { ...EVERYTHING, 'x-tgefd-ingress-proof': 'x' })).boundary.trustedHop).toBe(true);
  });

  it('proves nothing where no secret is set', () => {
    const noProofs = createBoundary({ ...settings, ingressSecrets: [] }, { newId: () => 'n' });
    const { boundary, denial } = at(request(STRANGER, { ...EVERYTHING, 'x-tgefd-ingress-proof': 'x' }), noProofs);
    expect(denial).toBeNull();
    expect(boundary.trustedHop).toBe(false);
  });
});

it('never throws on any fields, from anybody, and invents no trust', async () => {
  const names = fc.constantFrom(...Object.keys(EVERYTHING), 'forwarded', 'x-real-ip', 'x-tgefd-ingress-proof');
  const fields = fc.array(
    fc.tuple(
      names,
      fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...Object.values(EVERYTHING))),
    ),
  );
  const peers = fc.oneof(fc.constant(null), fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom(PROXY, STRANGER));
  await fc.assert(
    fc.asyncProperty(peers, fields, async (peerAddress, sent) => {
      const headers = {
        get: (wanted: string) => {
          const values = sent.filter(([name]) => name === wanted).map(([, value]) => value);
          return values.length === 0 ? null : values.join(', ');
        },
        [Symbol.iterator]: () => sent[Symbol.iterator](),
      };
      const { boundary } = await examine({ ...request(peerAddress), headers }, NOW_MS);
      if (!boundary.trustedHop) expect([boundary.ingressIdentity, ...boundary.believed]).toEqual([null]);
      expect(boundary.requestId).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
      expect(boundary.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
      if (boundary.host !== null) expect(boundary.host).toMatch(/^[a-z0-9._:[\]-]+$/);
    }),
    { seed: 20_260_107, numRuns: 1000 },
  );
});

describe('a platform that joins repeated fields by a comma (HTTP APIs of API Gateway)', () => {
  const reads = createCertificateReader(
    { headers: ['nginx', 'subject'], subjectHeader: 'x-ssl-client-subject', scopesHeader: null, roleHeader: null },
    { clock: () => NOW_MS },
  );
  const readBehind = (fields: Record<string, string>, joins: boolean) => {
    const asked = request(PROXY, fields);
    const hop = joins ? { ...asked.hop, joinsFields: true as const } : asked.hop;
    return reads(at({ ...asked, hop }).boundary, hop);
  };

  it.each([
    [{ 'x-ssl-client-subject': 'CN=admin,CN=alice' }, 'x-ssl-client-subject'],
    [{ 'x-ssl-client-subject': 'OU=admins,CN=alice' }, 'x-ssl-client-subject'],
    [{ 'ssl-client-verify': 'SUCCESS', 'ssl-client-subject-dn': 'CN=admin,O=x' }, 'ssl-client-subject-dn'],
  ])('has %j refused as on Node, where it would be two fields', (fields, field) => {
    expect(readBehind(fields, true)).toEqual({ found: 'refused', reason: { reason: 'forwarded_invalid', field } });
    expect(readBehind(fields, false)).toMatchObject({ found: 'certificate' });
  });

  it.each(['CN=alice', 'CN=a\\,b'])('reads a name that can only be one: %s', (name) => {
    expect(readBehind({ 'x-ssl-client-subject': name }, true)).toMatchObject({
      found: 'certificate',
      certificate: { subject: name },
    });
  });

  it('believes a name of several parts that a signed proof covers', async () => {
    const fields = { ...EVERYTHING, 'x-ssl-client-subject': 'CN=alice,O=Example' };
    const { method, target, headers } = request(null, fields);
    const covered = ingressFields(['x-auth-request-user', 'x-ssl-client-subject']);
    const proof = await signIngressProof(SECRET, { method, target, headers }, covered, AT_SECONDS, 'bm9uY2Vub25jZQ');
    const asked = request(null, { ...fields, 'x-tgefd-ingress-proof': proof });
    const hop = { ...asked.hop, joinsFields: true as const };
    const { boundary } = await examine({ ...asked, hop }, NOW_MS);
    expect(reads(boundary, hop)).toMatchObject({ certificate: { subject: 'CN=alice,O=Example' } });
  });
});
