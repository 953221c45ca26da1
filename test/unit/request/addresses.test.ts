import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressPartition,
  addressText,
  contains,
  parseAddress,
  parseCidrs,
  parseForwardedAddress,
} from '../../../lib/request/addresses.ts';

const SEED = 20_260_102;
function textOf(text: string, parse = parseAddress) {
  const address = parse(text);
  return address === null ? null : addressText(address);
}
function rangesOf(list: string) {
  const { ranges, problems } = parseCidrs(list);
  expect(problems).toEqual([]);
  return ranges;
}
function holds(list: string, text: string) {
  const address = parseAddress(text);
  return address !== null && contains(rangesOf(list), address);
}

describe('an address has one text', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::192.0.2.1', '::c000:201'],
  ])('%s is %s', (text, canonical) => {
    expect(textOf(text)).toBe(canonical);
  });

  it.each(['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1'])(
    '%s is the IPv4 address it maps (RFC 4291 §2.5.5.2)',
    (text) => {
      expect(textOf(text)).toBe('192.0.2.1');
    },
  );
});

describe('a text that two parsers could read differently is no address', () => {
  it.each([
    '',
    ' ',
    '192.0.2',
    '192.0.2.1.1',
    '192.0.2.',
    '.192.0.2.1',
    '192.0.2.256',
    '192.0.2.01',
    '0300.0.2.1',
    '0xc0.0.2.1',
    '3221225985',
    '192.0.2.1 ',
    ' 192.0.2.1',
    '192.0.2.-1',
    '192.0.2.1/32',
    '1١.0.2.1',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::12345',
    '::g',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '::1.2.3.256',
    '::01.2.3.4',
    'fe80::1%eth0',
    'fe80::1%25eth0',
    '[::1]',
    '::1]',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    'localhost',
    'unknown',
    '0000:0000:0000:0000:0000:0000:255.255.255.2555',
  ])('%j', (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe('an entry of X-Forwarded-For', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[::ffff:192.0.2.1]:443', '192.0.2.1'],
  ])('%s is %s', (text, canonical) => {
    expect(textOf(text, parseForwardedAddress)).toBe(canonical);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '"192.0.2.1"',
    'for=192.0.2.1',
    '192.0.2.1:',
    '192.0.2.1:x',
    '192.0.2.1:123456',
    '192.0.2.1:65536',
    '[2001:db8::1]:65536',
    '[192.0.2.1]',
    '[2001:db8::1',
    '[2001:db8::1]:',
    '[2001:db8::1]x',
    '[fe80::1%eth0]',
    '{http.request.remote}',
    '192.0.2.1 198.51.100.1',
  ])('%j is none', (text) => {
    expect(parseForwardedAddress(text)).toBeNull();
  });
});

describe('ranges', () => {
  it.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::10.1.2.3', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.128/25', '192.0.2.128', true],
    ['192.0.2.1/32', '192.0.2.1', true],
    ['192.0.2.1/32', '192.0.2.2', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['240.0.0.0/8', '240.0.0.1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8:8000::/33', '2001:db8:7fff::', false],
    ['::1', '::1', true],
    ['::1/128', '::2', false],
    ['fc00::/7', 'fdff::1', true],
    ['10.0.0.0/8, 2001:db8::/32', '2001:db8::1', true],
    ['', '10.0.0.1', false],
  ])('%j holds %s: %s', (list, text, expected) => {
    expect(holds(list, text)).toBe(expected);
  });

  it.each([
    ['0.0.0.0/0', /trust strangers/],
    ['::/0', /trust strangers/],
    ['0.0.0.0/1', /trust strangers/],
    ['128.0.0.0/7', /trust strangers/],
    ['2000::/3', /trust strangers/],
    ['10.0.0.1/8', /bits set behind its prefix: write 10\.0\.0\.0\/8/],
    ['2001:db8::1/32', /write 2001:db8::\/32/],
    ['::ffff:10.0.0.0/104', /write the IPv4 range/],
    ['::ffff:10.0.0.1', /write the IPv4 range/],
    ['10.0.0.0/33', /at most 32/],
    ['10.0.0.0/08', /at most 32/],
    ['10.0.0.0/', /at most 32/],
    ['2001:db8::/129', /at most 128/],
    ['10.0.0.0/8/8', /not an address range/],
    ['10.0.0/8', /not an address range/],
    ['proxy.internal', /not an address range/],
    ['*', /not an address range/],
    ['192.0.2.1,', /empty entry/],
  ])('%s is a problem', (list, problem) => {
    expect(parseCidrs(list).problems).toEqual([expect.stringMatching(problem)]);
  });

  it('names every problem of a list and keeps what is good', () => {
    const { ranges, problems } = parseCidrs('10.0.0.0/8, x, 0.0.0.0/0, ::1');
    expect(ranges).toHaveLength(2);
    expect(problems).toHaveLength(2);
  });
});

describe('budget partitions', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '::/64'],
  ])('%s spends as %s', (text, partition) => {
    const address = parseAddress(text);
    expect(address && addressPartition(address)).toBe(partition);
  });

  it('gives the whole /64 of one subscriber one budget', () => {
    const partitions = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9'].map((text) => {
      const address = parseAddress(text);
      return address && addressPartition(address);
    });
    expect(new Set(partitions).size).toBe(1);
  });
});

describe('properties', () => {
  it('reads back every text it writes, IPv4', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(textOf(text)).toBe(text);
      }),
      { seed: SEED },
    );
  });

  it('reads every spelling of an IPv6 address as one, and writes it so that the WHATWG parser agrees', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = textOf(text);
        expect(canonical).not.toBeNull();
        expect(textOf(canonical ?? '')).toBe(canonical);
        if (canonical?.includes(':')) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${canonical}]`);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('never throws on what is no address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9a-f:.[\]%/]{0,50}$/)), (text) => {
        parseAddress(text);
        parseForwardedAddress(text);
        parseCidrs(text);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });
});
