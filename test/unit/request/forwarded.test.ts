import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressText, parseCidrs } from '../../../lib/request/addresses.ts';
import { ingressValue, parseAuthority, readForwarded } from '../../../lib/request/forwarded.ts';

const { ranges } = parseCidrs('10.0.0.0/8, fd00::/8');
function read(fields: Record<string, string>) {
  const { client, ...rest } = readForwarded(new Headers(fields), ranges);
  return { ...rest, client: client && addressText(client) };
}
const told = { client: null, secure: null, host: null, invalid: null };

describe('X-Forwarded-For behind a trusted hop: the rightmost entry that is no proxy of ours', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, 10.0.0.1', '203.0.113.9'],
    ['198.51.100.7, 203.0.113.9, 10.0.0.1, 10.0.0.2', '203.0.113.9'],
    ['10.9.9.9, 203.0.113.9, 10.0.0.1', '203.0.113.9'],
    ['203.0.113.9,10.0.0.1', '203.0.113.9'],
    ['203.0.113.9:4711, 10.0.0.1', '203.0.113.9'],
    ['[2001:db8::9]:4711, fd00::1', '2001:db8::9'],
    ['203.0.113.9, ::ffff:10.0.0.1', '203.0.113.9'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['what a stranger wrote, 203.0.113.9', '203.0.113.9'],
    [', ,, 203.0.113.9, 10.0.0.1', '203.0.113.9'],
  ])('%s', (chain, client) => {
    expect(read({ 'x-forwarded-for': chain })).toEqual({ ...told, client });
  });

  it.each([
    'unknown',
    '203.0.113.9, unknown, 10.0.0.1',
    '203.0.113.9, _gazonk, 10.0.0.1',
    '203.0.113.9,',
    ',10.0.0.1',
    '203.0.113.9 198.51.100.7',
    'for=203.0.113.9',
    '203.0.113.09',
    Array.from({ length: 40 }, () => '10.0.0.1').join(', '),
  ])('%j has to be believed and says nothing', (chain) => {
    expect(read({ 'x-forwarded-for': chain })).toEqual({ ...told, invalid: 'x-forwarded-for' });
  });
});

describe('X-Forwarded-Proto', () => {
  it.each([
    ['https', true],
    ['HTTPS', true],
    ['http', false],
    ['wss', true],
    ['ws', false],
  ])('%s', (scheme, secure) => {
    expect(read({ 'x-forwarded-proto': scheme })).toEqual({ ...told, secure });
  });

  it.each(['https, http', 'http, https', 'https, https', 'https,https', 'ftp', 'constructor', 'https;'])(
    '%j says two things or none',
    (scheme) => {
      expect(read({ 'x-forwarded-proto': scheme })).toEqual({ ...told, invalid: 'x-forwarded-proto' });
    },
  );
});

describe('X-Forwarded-Host and Host', () => {
  it.each([
    ['api.example.com', 'api.example.com'],
    ['API.Example.com:8443', 'api.example.com:8443'],
    ['localhost:8080', 'localhost:8080'],
    ['192.0.2.1', '192.0.2.1'],
    ['[2001:DB8::1]:443', '[2001:db8::1]:443'],
    ['my_service', 'my_service'],
    ['example.com.', 'example.com.'],
  ])('%s', (authority, host) => {
    expect(parseAuthority(authority)).toBe(host);
    expect(read({ 'x-forwarded-host': authority })).toEqual({ ...told, host });
  });

  it.each([
    'a.example, b.example',
    'a.example,b.example',
    'user@example.com',
    'user:pw@example.com',
    'example.com/path',
    'example.com:',
    'example.com:65536',
    'example.com:8o',
    'exa mple.com',
    'example..com',
    '.example.com',
    'exämple.com',
    'ex%61mple.com',
    'example.com#x',
    'example.com\\@evil.example',
    '[::1',
    '[fe80::1%25eth0]',
    '[192.0.2.1]',
    '2001:db8::1',
    'a'.repeat(300),
  ])('%j is no authority', (authority) => {
    expect(parseAuthority(authority)).toBeUndefined();
    expect(read({ 'x-forwarded-host': authority }).invalid).toBe('x-forwarded-host');
  });
});

it('takes an empty field and a proxy’s unfilled placeholder for absent', () => {
  const fields = { 'x-forwarded-for': '{http.request.remote}', 'x-forwarded-proto': '', 'x-forwarded-host': ' ' };
  expect(read(fields)).toEqual(told);
  expect(ingressValue(new Headers({ a: '{b}' }), 'a')).toBeNull();
});

it('does not look at Forwarded, which proxies pass through as a caller wrote it', () => {
  const fields = { forwarded: 'for=198.51.100.7;proto=http;host=evil.example', 'x-forwarded-for': '203.0.113.9' };
  expect(read(fields)).toEqual({ ...told, client: '203.0.113.9' });
});

it('never throws, and finds a client only in what is well formed', () => {
  const chains = fc.array(
    fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('', ' ', 'x', ',', '10.0.0.1', '[', ':', '{')),
  );
  fc.assert(
    fc.property(chains, fc.string(), fc.string(), (chain, proto, host) => {
      const fields = new Map([
        ['x-forwarded-for', chain.join(', ')],
        ['x-forwarded-proto', proto],
        ['x-forwarded-host', host],
      ]);
      const { client, invalid } = readForwarded(
        { get: (n) => fields.get(n) ?? null, [Symbol.iterator]: () => fields.entries() },
        ranges,
      );
      if (client !== null) expect(invalid).not.toBe('x-forwarded-for');
    }),
    { seed: 20_260_105, numRuns: 1000 },
  );
});
