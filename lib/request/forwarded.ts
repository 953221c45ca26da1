import type { HeaderFields } from '../decision/request.ts';
import { type Address, type AddressRange, contains, parseAddress, parseForwardedAddress } from './addresses.ts';

/** What a believed hop tells of the caller's own connection; null where it does not tell. */
export interface Forwarded {
  readonly client: Address | null;
  readonly secure: boolean | null;
  readonly host: string | null;
  /** Name of the first field that says two things, or none that can be understood. */
  readonly invalid: string | null;
}

export const NOTHING_FORWARDED: Forwarded = { client: null, secure: null, host: null, invalid: null };

/** Proxies that a request may have passed; a longer chain is a loop or an attack on our patience. */
const MAX_HOPS = 32;
const MAX_AUTHORITY_LENGTH = 261;
const AUTHORITY = /^(?:([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{1,5}))?$/;
/** Traefik says `ws` and `wss` of an upgrade. */
const SCHEMES = new Map([
  ['http', false],
  ['https', true],
  ['ws', false],
  ['wss', true],
]);

/**
 * Gives the value of a field that an ingress sets, without outer whitespace; null where it is absent, empty or the
 * literal placeholder that Caddy sends when a variable has no value (`{http.request.tls.client.subject}`).
 */
export function ingressValue(fields: HeaderFields, name: string): string | null {
  const value = fields.get(name)?.trim();
  return value === undefined || value === '' || value.startsWith('{') ? null : value;
}

/**
 * Takes the fields of a believed hop and the trusted ranges; gives what `X-Forwarded-For`, `-Proto` and `-Host` tell.
 *
 * The client is the rightmost entry of `X-Forwarded-For` that is not itself a trusted proxy (the leftmost, where all
 * are): what stands left of it was written by strangers and is not even looked at. An entry that has to be believed and
 * is no address is invalid. `X-Forwarded-Proto` and `-Host` are one value each; a list, even of equals, is invalid.
 *
 * `Forwarded` (RFC 7239) is no source: proxies that write `X-Forwarded-*` pass a caller's `Forwarded` through, so that
 * it neither confirms nor contradicts anything.
 */
export function readForwarded(fields: HeaderFields, trustedProxies: readonly AddressRange[]): Forwarded {
  const chain = ingressValue(fields, 'x-forwarded-for');
  const client = chain === null ? null : clientOf(chain, trustedProxies);
  if (client === undefined) return { ...NOTHING_FORWARDED, invalid: 'x-forwarded-for' };

  const scheme = ingressValue(fields, 'x-forwarded-proto');
  const secure = scheme === null ? null : SCHEMES.get(scheme.toLowerCase());
  if (secure === undefined) return { ...NOTHING_FORWARDED, client, invalid: 'x-forwarded-proto' };

  const authority = ingressValue(fields, 'x-forwarded-host');
  const host = authority === null ? null : parseAuthority(authority);
  if (host === undefined) return { ...NOTHING_FORWARDED, client, secure, invalid: 'x-forwarded-host' };

  return { client, secure, host, invalid: null };
}

/**
 * Takes the value of `Host` or `X-Forwarded-Host`; gives it in lower case, or undefined where it is not one authority
 * of an `http` URI (RFC 9110 §4.2, §7.2): a repeated field, user information, percent-encoding, a port above 65535.
 */
export function parseAuthority(text: string): string | undefined {
  if (text.length > MAX_AUTHORITY_LENGTH) return undefined;
  const [authority, name, literal, port] = AUTHORITY.exec(text) ?? [];
  if (authority === undefined || name?.includes('..') || Number(port ?? 0) > 65535) return undefined;
  if (literal !== undefined && (!literal.includes(':') || parseAddress(literal) === null)) return undefined;
  return authority.toLowerCase();
}

function clientOf(chain: string, trustedProxies: readonly AddressRange[]): Address | undefined {
  let end = chain.length;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const comma = end === 0 ? -1 : chain.lastIndexOf(',', end - 1);
    const address = parseForwardedAddress(chain.slice(comma + 1, end).trim());
    if (address === null) return undefined;
    if (comma === -1 || !contains(trustedProxies, address)) return address;
    end = comma;
  }
  return undefined;
}
