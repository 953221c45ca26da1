import { decodeBase64url } from '../../codec/base64url.ts';
import { createRecentMap } from '../../codec/recent-map.ts';
import { type JsonObject, parseStrictJsonObject } from '../../codec/strict-json.ts';

/** A token taken apart, with nothing in it verified yet. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** What the signature is over: header and claims as sent, with the dot between them (RFC 7515 §5.2 step 8). */
  readonly signed: string;
}

export type MalformedPart = 'shape' | 'header' | 'claims' | 'signature';

/**
 * Takes a JWT in JWS compact serialisation apart (RFC 7515 §3.1, §5.2; RFC 7519 §7.2): exactly three non-empty parts of
 * strict base64url, header and claims JSON objects without duplicate members. Gives the part that is not as it must be
 * instead. A JWE has five parts and a JSON serialisation none, so neither gets past the shape. Verifies nothing.
 */
export function parseCompactJws(token: string): CompactJws | MalformedPart {
  return readJws(token, headerOf);
}

/** Headers that are remembered, and the longest one in characters. */
const MAXIMUM_HEADERS = 64;
const LONGEST_HEADER = 512;

/**
 * Makes a reader that takes tokens apart as `parseCompactJws` does. The tokens of one key all have the same header, so the
 * last ones are remembered by their text.
 */
export function createJwsReader(): typeof parseCompactJws {
  const headers = createRecentMap<JsonObject>({ maximumEntries: MAXIMUM_HEADERS });
  const remembered = (token: string, end: number): JsonObject | null => {
    if (end > LONGEST_HEADER) return headerOf(token, end);
    const text = token.slice(0, end);
    const known = headers.get(text);
    if (known !== undefined) return known;
    const header = headerOf(token, end);
    if (header !== null) headers.set(text, header);
    return header;
  };
  return (token) => readJws(token, remembered);
}

function readJws(
  token: string,
  readHeader: (token: string, end: number) => JsonObject | null,
): CompactJws | MalformedPart {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 1 || second < first + 2 || second === token.length - 1 || token.indexOf('.', second + 1) !== -1)
    return 'shape';
  const header = readHeader(token, first);
  if (!header) return 'header';
  const claims = parsePart(token, first + 1, second);
  if (!claims) return 'claims';
  const signature = decodeBase64url(token, second + 1);
  if (!signature) return 'signature';
  return { header, claims, signature, signed: token.slice(0, second) };
}

function headerOf(token: string, end: number): JsonObject | null {
  return parsePart(token, 0, end);
}

function parsePart(token: string, from: number, to: number): JsonObject | null {
  const bytes = decodeBase64url(token, from, to);
  return bytes && parseStrictJsonObject(bytes);
}
