import type { AccessRequest } from '../../decision/request.ts';

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/;

/**
 * The origin under which this browser sees the console, or null where the request names another host: a page that points its
 * own name at this address (DNS rebinding) gets nothing. Without a configured origin only loopback names count.
 */
export function originOf({ headers, hop }: AccessRequest, configured: URL | null): string | null {
  const host = headers.get('host') ?? '';
  if (configured !== null && host === configured.host) return configured.origin;
  if (!LOOPBACK.test(host)) return null;
  return `${hop.secure === true ? 'https' : 'http'}://${host}`;
}

/**
 * Whether a request that changes something was made by a page of ours: the browser says so in `Origin` and, where it sends
 * that, in `Sec-Fetch-Site` (Fetch Metadata). A request without `Origin` was made by no page of ours.
 */
export function isFromOwnPage({ headers }: AccessRequest, origin: string): boolean {
  const site = headers.get('sec-fetch-site');
  return headers.get('origin') === origin && (site === null || site === 'same-origin');
}

/** Equal texts, compared without telling by time how much of them is equal. */
export function isSame(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i % (right.length || 1));
  return difference === 0;
}
