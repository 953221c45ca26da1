import { decodeBase64url } from '../../codec/base64url.ts';
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
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 1 || second < first + 2 || second === token.length - 1 || token.indexOf('.', second + 1) !== -1)
    return 'shape';
  const header = parsePart(token, 0, first);
  if (!header) return 'header';
  const claims = parsePart(token, first + 1, second);
  if (!claims) return 'claims';
  const signature = decodeBase64url(token, second + 1);
  if (!signature) return 'signature';
  return { header, claims, signature, signed: token.slice(0, second) };
}

function parsePart(token: string, from: number, to: number): JsonObject | null {
  const bytes = decodeBase64url(token, from, to);
  return bytes && parseStrictJsonObject(bytes);
}
