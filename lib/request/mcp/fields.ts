import { decodeBase64 } from '../../codec/base64url.ts';
import type { McpField, McpFieldProblem, Reason } from '../../decision/reason.ts';
import type { AccessRequest } from '../../decision/request.ts';

/** The revision whose requests mirror method and name into fields. */
export const MODERN_VERSION = '2026-07-28';
/** Revisions whose requests carry method and name in the body only. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18'];

/** Longest values that are looked at, in characters. */
export const LONGEST_FIELD = { 'mcp-protocol-version': 32, 'mcp-method': 128, 'mcp-name': 4096 } as const;

const METHOD = /^[A-Za-z0-9_.$/:-]+$/;
/** Visible ASCII with spaces or tabs inside (RFC 9110 §5.5); anything else has to be encoded. */
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;
const ENCODED = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?)\?=$/;
const DOT_SEGMENT = /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\?#]|$)/i;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A field as it was sent: absent, its value, or why it cannot be read. */
export type FieldReading = string | null | Reason;

export function fieldInvalid(field: McpField, problem: McpFieldProblem): Reason {
  return { reason: 'mcp_field_invalid', field, problem };
}

/** Reads one of the three fields, still encoded. A repeated one is refused, also where repetitions arrive joined. */
export function readField({ headers, hop, readBody }: AccessRequest, field: McpField): FieldReading {
  const value = headers.get(field);
  if (value === null) return null;
  if (value.length > LONGEST_FIELD[field]) return fieldInvalid(field, 'too_long');
  const times = headers.times?.(field);
  // Where nobody counts, a comma may stand between two values. A body that is compared tells them apart by itself.
  const joined = hop.joinsFields ? value.includes(',') : times === undefined && !readBody && value.includes(', ');
  if (joined || (times !== undefined && times > 1)) return fieldInvalid(field, 'repeated');
  return value;
}

/** The method of a message by its field, or why there is none. */
export function readMethod(request: AccessRequest): string | Reason {
  const value = readField(request, 'mcp-method');
  if (value === null) return fieldInvalid('mcp-method', 'missing');
  if (typeof value === 'string' && !METHOD.test(value))
    return fieldInvalid('mcp-method', value.includes(',') ? 'repeated' : 'malformed');
  return value;
}

/**
 * The name of a message by its field, decoded (MCP, Streamable HTTP, “Value Encoding”): `=?base64?…?=` holds UTF-8 in
 * base64, and every other text stands for itself.
 */
export function readName(request: AccessRequest): FieldReading {
  const value = readField(request, 'mcp-name');
  if (typeof value !== 'string') return value;
  if (!PLAIN.test(value)) return fieldInvalid('mcp-name', value === '' ? 'missing' : 'malformed');
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const bytes = decodeBase64(ENCODED.exec(value)?.[1] ?? '*');
  try {
    return bytes === null ? fieldInvalid('mcp-name', 'malformed') : utf8.decode(bytes);
  } catch {
    return fieldInvalid('mcp-name', 'malformed');
  }
}

/** Whether a server may take a name for another one: `file:///public/../secret`. */
export function hasDotSegment(name: string): boolean {
  return DOT_SEGMENT.test(name);
}
