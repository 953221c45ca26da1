import { isJsonObject, type JsonObject, member, parseStrictJsonObject } from '../../codec/strict-json.ts';
import type { McpBodyProblem, Reason } from '../../decision/reason.ts';
import type { HeaderFields } from '../../decision/request.ts';

/** Longest message that is read, in bytes. */
export const LONGEST_MESSAGE = 1024 * 1024;
/** Arguments of a tool may nest deeper than a token does. */
const DEEPEST = 64;
const VERSION_MEMBER = 'io.modelcontextprotocol/protocolVersion';

/** What the body of a request says. */
export interface BodyMessage {
  /** Null: the message is an answer of the client, as earlier revisions send them. */
  readonly method: string | null;
  readonly params: JsonObject;
  /** The version in `_meta`, or null where none is told there. */
  readonly version: string | null;
}

function invalid(problem: McpBodyProblem): Reason {
  return { reason: 'mcp_body_invalid', problem };
}

/**
 * Why a body cannot be compared although it is JSON: a server would decompress it, or read it in another charset (in UTF-7,
 * `+ACI-` is a quotation mark).
 */
export function encodingFault(headers: HeaderFields): Reason | null {
  const coding = headers.get('content-encoding');
  if (coding !== null && coding.trim().toLowerCase() !== 'identity') return invalid('encoding');
  const charset = /;\s*charset\s*=\s*"?([^";,\s]*)/gi;
  for (const [, name] of (headers.get('content-type') ?? '').matchAll(charset))
    if (name?.toLowerCase() !== 'utf-8') return invalid('encoding');
  return null;
}

/**
 * Reads a single JSON-RPC message so that no two servers can disagree about its method and name: no batch, no member twice,
 * and none whose name differs from one that counts in letter case only, since some parsers take it for that one.
 */
export function readMessage(bytes: Uint8Array): BodyMessage | Reason {
  const message = parseStrictJsonObject(bytes, DEEPEST);
  if (message === null) return invalid('json');
  if (hasNamesake(message, ['method', 'params'])) return invalid('json');
  const method = member(message, 'method');
  const params = member(message, 'params') ?? {};
  if (!isJsonObject(params)) return invalid('message');
  if (hasNamesake(params, ['name', 'uri', 'taskid', '_meta'])) return invalid('json');
  if (method === undefined) {
    const answers = Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error');
    return answers ? { method: null, params: {}, version: null } : invalid('message');
  }
  if (typeof method !== 'string') return invalid('message');
  const meta = member(params, '_meta');
  const version = isJsonObject(meta) ? member(meta, VERSION_MEMBER) : undefined;
  if (version !== undefined && typeof version !== 'string') return invalid('message');
  return { method, params, version: version ?? null };
}

/** Members of `params` that some method outside of the core may name something by. */
const OTHER_NAMES = ['name', 'uri', 'taskId'];

/** The name in the body: of the member that the method has for it, else of the only one that looks like a name. */
export function nameIn({ params }: BodyMessage, namedBy: string | null): string | null {
  const found = (namedBy === null ? OTHER_NAMES : [namedBy]).flatMap((at) => {
    const value = member(params, at);
    return typeof value === 'string' ? [value] : [];
  });
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** Whether two members could be one to a parser that does not look at letter case (`ſ` is an `s` to some, `K` a `k`). */
function hasNamesake(object: JsonObject, names: readonly string[]): boolean {
  return Object.keys(object).some((key) => {
    const folded = key.toLowerCase().replaceAll('\u017f', 's');
    return folded !== key && names.includes(folded) && key !== 'taskId';
  });
}
