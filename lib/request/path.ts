/**
 * One strict canonicalisation of a request target. Exactly what comes out is matched against the endpoint table and
 * forwarded; what two parsers could read differently is refused, never repaired.
 */

import type { PathProblem } from '../decision/reason.ts';

export type CanonicalTarget =
  | { readonly ok: true; readonly path: string; readonly query: string }
  | { readonly ok: false; readonly problem: PathProblem };

/** Longest target that is looked at, in bytes (RFC 9110 §4.1 asks for 8000 octets at least). */
export const MAX_TARGET_BYTES = 8192;

const DOT = 0x2e;
const HASH = 0x23;
const SPACE = 0x20;
const DELETE = 0x7f;
const TRIPLET = /%([0-9A-Fa-f]{2})?/g;
const UNRESERVED = /[A-Za-z0-9\-_~]/;
const DECODES_TWICE = /%25(?:[0-9A-Fa-f]{2}|[Uu])/;
const C1_CONTROL = /[\u0080-\u009f]/;

/** What each ASCII character is in a path: RFC 3986 §3.3 `pchar` without `;`, a mark of structure, or a reason to refuse. */
const KINDS: readonly ('plain' | 'slash' | 'percent' | 'question' | PathProblem)[] = Array.from(
  { length: 128 },
  (_, code) => {
    const character = String.fromCharCode(code);
    if (code < SPACE || code === DELETE) return 'control_character';
    if (/[A-Za-z0-9\-._~!$&'()*+,=:@]/.test(character)) return 'plain';
    if (character === '/') return 'slash';
    if (character === '%') return 'percent';
    if (character === '?') return 'question';
    if (character === '#') return 'fragment';
    if (character === '\\') return 'backslash';
    if (character === ';') return 'path_parameter';
    return 'invalid_character';
  },
);

/**
 * Takes a raw request target; gives its canonical path and its query (with `?`, byte for byte, or empty).
 *
 * Percent-encoded unreserved characters are decoded, the hex digits of what stays encoded are upper case (RFC 3986
 * §6.2.2); letter case and a trailing slash are kept. The result is a fixed point: canonicalising it again, or parsing
 * it with the WHATWG URL parser, leaves the path as it is. Refused is everything but origin form (RFC 9112 §3.2.1):
 * dot and empty segments, `;`, backslashes, fragments, characters outside RFC 3986 §3.3, bad percent-encoding or UTF-8,
 * and the encoded forms of `/`, `\`, `.`, `;`, `%xx` and control characters. Never throws.
 *
 * Does not look inside the query beyond characters that no query may hold.
 */
export function canonicalTarget(target: string): CanonicalTarget {
  if (target.length > MAX_TARGET_BYTES) return refuse('too_long');
  if (target.charCodeAt(0) !== 0x2f) return refuse('not_origin_form');

  let encoded = false;
  let segment = 1;
  let at = 1;
  for (; at < target.length; at++) {
    const code = target.charCodeAt(at);
    const kind = KINDS[code] ?? 'not_ascii';
    if (kind === 'plain') continue;
    if (kind === 'slash') {
      if (at === segment) return refuse('empty_segment');
      if (isDotSegment(target, segment, at)) return refuse('dot_segment');
      segment = at + 1;
    } else if (kind === 'percent') {
      encoded = true;
    } else if (kind === 'question') {
      break;
    } else {
      return refuse(kind);
    }
  }
  if (isDotSegment(target, segment, at)) return refuse('dot_segment');

  const queryProblem = problemOfQuery(target, at);
  if (queryProblem !== null) return refuse(queryProblem);
  const path = at === target.length ? target : target.slice(0, at);
  const query = at === target.length ? '' : target.slice(at);
  return encoded ? normalizeEncoding(path, query) : { ok: true, path, query };
}

function refuse(problem: PathProblem): CanonicalTarget {
  return { ok: false, problem };
}

function isDotSegment(target: string, start: number, end: number): boolean {
  if (target.charCodeAt(start) !== DOT) return false;
  return end - start === 1 || (end - start === 2 && target.charCodeAt(start + 1) === DOT);
}

function problemOfQuery(target: string, start: number): PathProblem | null {
  for (let at = start; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code === HASH) return 'fragment';
    if (code === SPACE) return 'invalid_character';
    if (code < SPACE || code === DELETE) return 'control_character';
    if (code > DELETE) return 'not_ascii';
  }
  return null;
}

function normalizeEncoding(path: string, query: string): CanonicalTarget {
  let problem: PathProblem | null = null;
  const normalized = path.replace(TRIPLET, (triplet: string, hex: string | undefined) => {
    const octet = hex === undefined ? null : Number.parseInt(hex, 16);
    problem ??= problemOfOctet(octet);
    if (octet === null || octet > DELETE) return triplet.toUpperCase();
    const character = String.fromCharCode(octet);
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
  problem ??= problemOfWhole(normalized);
  return problem === null ? { ok: true, path: normalized, query } : refuse(problem);
}

function problemOfOctet(octet: number | null): PathProblem | null {
  switch (octet) {
    case null:
      return 'invalid_percent_encoding';
    case 0x00:
      return 'encoded_nul';
    case 0x2e:
      return 'encoded_dot';
    case 0x2f:
    case 0x5c:
      return 'encoded_separator';
    case 0x3b:
      return 'path_parameter';
    default:
      return octet < SPACE || octet === DELETE ? 'control_character' : null;
  }
}

function problemOfWhole(path: string): PathProblem | null {
  if (DECODES_TWICE.test(path)) return 'double_encoding';
  try {
    return C1_CONTROL.test(decodeURIComponent(path)) ? 'control_character' : null;
  } catch {
    return 'invalid_utf8';
  }
}
