/** What a proof is compared with: the request as the trust boundary knows it. */
export interface TargetUri {
  /** Whether the caller's own connection is TLS; null where nobody tells, and then either scheme fits. */
  readonly secure: boolean | null;
  /** Host and perhaps port, in lower case. */
  readonly host: string;
  /** Canonical path, without a query. */
  readonly path: string;
}

/** Gives the canonical form of a path, or null for one that could mean two things. */
export type CanonicalPath = (path: string) => string | null;

const PARTS = /^(https?):\/\/([^/?#\\@\s]+)([^?#]*)(?:[?#].*)?$/is;
const DEFAULT_PORT = { http: ':80', https: ':443' } as const;

/**
 * Whether the `htu` of a proof is the URI of this request (RFC 9449 §4.3 step 9): without query and fragment, after the
 * normalisations of RFC 3986 §6.2.2 and §6.2.3 (letter case of scheme and host, default port, empty path, percent-encoding).
 * A path that this product would refuse as ambiguous matches nothing, and user information is no part of a target.
 */
export function matchesTarget(htu: string, target: TargetUri, canonicalPath: CanonicalPath): boolean {
  const [whole, schemeText, authority, path] = PARTS.exec(htu) ?? [];
  if (whole === undefined || schemeText === undefined || authority === undefined) return false;
  const scheme = schemeText.toLowerCase() === 'https' ? 'https' : 'http';
  if (target.secure !== null && target.secure !== (scheme === 'https')) return false;
  if (withoutPort(authority.toLowerCase(), scheme) !== withoutPort(target.host, scheme)) return false;
  return canonicalPath(path === undefined || path === '' ? '/' : path) === target.path;
}

/** An authority without the default port of its scheme, also where the port is left empty (RFC 3986 §6.2.3). */
function withoutPort(authority: string, scheme: 'http' | 'https'): string {
  if (authority.endsWith(DEFAULT_PORT[scheme])) return authority.slice(0, -DEFAULT_PORT[scheme].length);
  return authority.endsWith(':') ? authority.slice(0, -1) : authority;
}
