/**
 * IP addresses and ranges, read strictly: one spelling that two parsers could read differently is no address.
 * An IPv4-mapped IPv6 address is the IPv4 address everywhere.
 */

export type Address =
  | { readonly family: 4; readonly value: number }
  /** Eight groups of 16 bits. */
  | { readonly family: 6; readonly groups: readonly number[] };

export interface AddressRange {
  readonly network: Address;
  readonly prefixLength: number;
}

/** Shortest prefixes that a range may have: the whole of a private block (10.0.0.0/8, fc00::/7). Anything wider would
 * trust strangers, however it is cut up (0.0.0.0/1 with 128.0.0.0/1 is 0.0.0.0/0). */
const SHORTEST_PREFIX = { 4: 8, 6: 7 } as const;
const BITS = { 4: 32, 6: 128 } as const;
/** Longest text of an IPv6 address (RFC 4291 §2.2, with an embedded IPv4 address). */
const MAX_TEXT_LENGTH = 45;

/**
 * Takes the text of one address; gives it, or null for anything else. IPv4 is four decimals without leading zeros
 * (an octal reading would be another host); IPv6 is RFC 4291 §2.2, no zone identifier. Does not take a port.
 */
export function parseAddress(text: string): Address | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  if (text.includes(':')) return parseIpv6(text);
  const value = parseIpv4(text);
  return value === null ? null : { family: 4, value };
}

/**
 * Takes one entry of `X-Forwarded-For` as proxies write it: an address, `192.0.2.1:4711`, `[2001:db8::1]` or
 * `[2001:db8::1]:4711`; gives the address, or null for anything else, also `unknown` and obfuscated names.
 */
export function parseForwardedAddress(entry: string): Address | null {
  const [, bracketed, behind = '0'] = /^\[([0-9A-Fa-f:.]+)\](?::([0-9]+))?$/.exec(entry) ?? [];
  if (bracketed !== undefined) return bracketed.includes(':') && isPort(behind) ? parseAddress(bracketed) : null;
  const colon = entry.indexOf(':');
  const withPort = colon !== -1 && entry.includes('.') && colon === entry.lastIndexOf(':');
  if (!withPort) return parseAddress(entry);
  return isPort(entry.slice(colon + 1)) ? parseAddress(entry.slice(0, colon)) : null;
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535;
}

/** Gives the one text of an address: dotted decimal, or RFC 5952 §4 (lower case, the longest run of zero groups cut). */
export function addressText(address: Address): string {
  if (address.family === 4) {
    const { value } = address;
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  }
  return ipv6Text(address.groups, 8);
}

/** Gives the address as a budget sees it: IPv4 whole, IPv6 by /64, since one subscriber holds at least that many. */
export function addressPartition(address: Address): string {
  return address.family === 4 ? addressText(address) : `${ipv6Text(address.groups, 4)}/64`;
}

/** Whether one of the ranges holds the address. */
export function contains(ranges: readonly AddressRange[], address: Address): boolean {
  for (const range of ranges) if (inRange(range, address)) return true;
  return false;
}

/**
 * Takes a comma-separated list of CIDR ranges (RFC 4632 §3.1, RFC 4291 §2.3; an address alone is itself); gives the
 * ranges and one sentence per problem. Refused: `/0` and whatever else is wider than a private block, bits set behind
 * the prefix, and IPv4 written as mapped IPv6. An empty list is no range and no problem.
 */
export function parseCidrs(list: string): {
  readonly ranges: readonly AddressRange[];
  readonly problems: readonly string[];
} {
  const ranges: AddressRange[] = [];
  const problems: string[] = [];
  if (list.trim() === '') return { ranges, problems };
  for (const entry of list.split(',')) {
    const range = parseCidr(entry.trim());
    if (typeof range === 'string') problems.push(range);
    else ranges.push(range);
  }
  return { ranges, problems };
}

function parseCidr(text: string): AddressRange | string {
  if (text === '') return 'an empty entry: write ranges separated by single commas';
  const shown = JSON.stringify(text.slice(0, MAX_TEXT_LENGTH + 4));
  const [base = '', suffix, ...rest] = text.split('/');
  const network = parseAddress(base);
  if (network === null || rest.length > 0)
    return `${shown} is not an address range such as 10.0.0.0/8 or 2001:db8::/32`;
  if (network.family === 4 && base.includes(':'))
    return `${shown} is IPv4 in IPv6 clothes: write the IPv4 range, which matches mapped peers too`;
  const bits = BITS[network.family];
  if (suffix === undefined) return { network, prefixLength: bits };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(suffix) || Number(suffix) > bits)
    return `${shown} needs a prefix length of at most ${bits} after the slash`;
  const prefixLength = Number(suffix);
  const shortest = SHORTEST_PREFIX[network.family];
  if (prefixLength < shortest)
    return `${shown} would trust strangers: a proxy's range has a prefix of /${shortest} or longer`;
  const start = networkOf(network, prefixLength);
  return addressText(start) === addressText(network)
    ? { network, prefixLength }
    : `${shown} has bits set behind its prefix: write ${addressText(start)}/${prefixLength}, or the one address`;
}

function parseIpv4(text: string): number | null {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2e) {
      if (octet < 0) return null;
      value = value * 256 + octet;
      octet = -1;
      dots++;
    } else if (code < 0x30 || code > 0x39 || octet === 0) {
      return null;
    } else {
      octet = (octet < 0 ? 0 : octet * 10) + code - 0x30;
      if (octet > 255) return null;
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : null;
}

function parseIpv6(text: string): Address | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = '', tail] = halves;
  const before = parseGroups(head, tail === undefined);
  const after = tail === undefined ? [] : parseGroups(tail, true);
  if (before === null || after === null) return null;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...before, ...new Array<number>(missing).fill(0), ...after];
  const [, , , , , marker, high = 0, low = 0] = groups;
  const mapped = marker === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return mapped ? { family: 4, value: high * 65536 + low } : { family: 6, groups };
}

function parseGroups(text: string, mayEndInIpv4: boolean): readonly number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const embedded = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : null;
    if (embedded === null) return null;
    groups.push(embedded >>> 16, embedded & 0xffff);
  }
  return groups;
}

/** The text of the first `kept` groups followed by zeros. */
function ipv6Text(groups: readonly number[], kept: number): string {
  const group = (at: number) => (at < kept ? (groups[at] ?? 0) : 0);
  let start = 8;
  let length = 1;
  for (let at = 0, zeros = 0; at < 8; at++) {
    zeros = group(at) === 0 ? zeros + 1 : 0;
    if (zeros > length) {
      length = zeros;
      start = at + 1 - zeros;
    }
  }
  let text = '';
  for (let at = 0; at < 8; at++) {
    if (at === start) {
      text += '::';
      at += length - 1;
    } else {
      text += (text === '' || text.endsWith(':') ? '' : ':') + group(at).toString(16);
    }
  }
  return text;
}

/** 16 bits of a group with everything behind the prefix cleared. */
function maskGroup(group: number, index: number, prefixLength: number): number {
  const kept = Math.min(16, Math.max(0, prefixLength - index * 16));
  return group & (0xffff << (16 - kept)) & 0xffff;
}

function networkOf(address: Address, prefixLength: number): Address {
  return address.family === 4
    ? { family: 4, value: (address.value & (0xffffffff << (32 - prefixLength))) >>> 0 }
    : { family: 6, groups: address.groups.map((group, index) => maskGroup(group, index, prefixLength)) };
}

function inRange({ network, prefixLength }: AddressRange, address: Address): boolean {
  if (network.family === 4)
    return address.family === 4 && (network.value ^ address.value) >>> (32 - prefixLength) === 0;
  if (address.family === 4) return false;
  return network.groups.every((group, index) => group === maskGroup(address.groups[index] ?? 0, index, prefixLength));
}
