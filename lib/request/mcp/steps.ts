import { nameMember, needsName, rowFor } from '../../decision/message.ts';
import type { Reason } from '../../decision/reason.ts';
import type { AccessRequest, Endpoint, McpMessage } from '../../decision/request.ts';
import type { Steps } from '../../decision/steps.ts';
import type { Walk } from '../../decision/walk.ts';
import { type BodyMessage, encodingFault, LONGEST_MESSAGE, nameIn, readMessage } from './body.ts';
import {
  fieldInvalid,
  hasDotSegment,
  LEGACY_VERSIONS,
  MODERN_VERSION,
  readField,
  readMethod,
  readName,
} from './fields.ts';

export interface McpSettings {
  /** Serve requests of earlier revisions too, where the body is seen (`TGEFD_MCP_LEGACY`). */
  readonly legacy: boolean;
  /** Longest body, in bytes; 0: no limit but that of messages. */
  readonly maximumBodyBytes: number;
}

/**
 * The two steps that find the row of a message of MCP. The first reads the fields, before anybody is authenticated; what is
 * wrong with them is told after that. The second, where the body is seen, compares it with the fields, or finds the row in
 * it for requests of earlier revisions. It keeps at most one message in memory, of a caller who is known.
 */
export function createMcpSteps(settings: McpSettings): NonNullable<Steps['byMessage']> {
  const supported = settings.legacy ? [MODERN_VERSION, ...LEGACY_VERSIONS] : [MODERN_VERSION];
  return {
    readFields(walk) {
      const { route, request } = walk;
      if (route.found !== 'by_message') return null;
      const era = eraOf(request, settings.legacy, supported);
      const message = era === 'modern' ? messageByFields(request, route.rows) : era;
      if (typeof message === 'object' && 'reason' in message) walk.messageDenial = message;
      else if (message !== 'legacy') choose(walk, route.rows, message);
      return null;
    },
    async readBody(walk) {
      if (walk.messageDenial !== null) return refused(walk, walk.messageDenial);
      const { request, route } = walk;
      const rows = route.found === 'by_message' ? route.rows : null;
      if (request.readBody === undefined || (rows === null && walk.message === null)) return null;
      const body = await bodyOf(request, settings);
      if ('reason' in body) return refused(walk, body);
      if (walk.message !== null) return refused(walk, differences(request, walk.message, body));
      const message = rows && messageByBody(request, body, rows);
      if (message === null || 'reason' in message) return refused(walk, message);
      choose(walk, rows ?? [], message);
      return null;
    },
  };
}

/** What a request asks for by its fields alone; a reason where they cannot be believed. */
export function messageByFields(request: AccessRequest, rows: readonly Endpoint[]): McpMessage | Reason {
  const method = readMethod(request);
  if (typeof method !== 'string') return method;
  const name = readName(request);
  if (name !== null && typeof name !== 'string') return name;
  if (name === null && needsName(method, rows)) return fieldInvalid('mcp-name', 'missing');
  return checked({ method, name }, rows);
}

function checked(message: McpMessage, rows: readonly Endpoint[]): McpMessage | Reason {
  const byName = message.name !== null && rows.some(({ mcp }) => mcp?.name != null);
  return byName && hasDotSegment(message.name ?? '') ? fieldInvalid('mcp-name', 'ambiguous') : message;
}

function choose(walk: Walk, rows: readonly Endpoint[], message: McpMessage): void {
  walk.message = message;
  walk.route = rowFor(rows, message);
  const { route } = walk;
  walk.context.explain?.(
    'message',
    route.found === 'endpoint' ? `the row ${route.endpoint.action}` : 'no row takes it',
    {
      method: message.method,
      name: message.name,
    },
  );
}

/** A refusal waits for admission, as those of authorization do: a revoked credential is 401, whatever it asked for. */
function refused(walk: Walk, reason: Reason | null): null {
  walk.refusal = reason;
  return null;
}

/** Whether fields or the body tell what a request asks for. */
function eraOf(request: AccessRequest, legacy: boolean, supported: readonly string[]): 'modern' | 'legacy' | Reason {
  const version = readField(request, 'mcp-protocol-version');
  if (version === MODERN_VERSION) return 'modern';
  if (version !== null && typeof version !== 'string') return version;
  const byBody = legacy && request.readBody !== undefined && (version === null || LEGACY_VERSIONS.includes(version));
  if (byBody) return 'legacy';
  const problem = version === null ? 'missing' : 'unsupported';
  return { reason: 'mcp_field_invalid', field: 'mcp-protocol-version', problem, supported };
}

async function bodyOf(request: AccessRequest, { maximumBodyBytes }: McpSettings): Promise<BodyMessage | Reason> {
  const fault = encodingFault(request.headers);
  if (fault !== null) return fault;
  const limitBytes = maximumBodyBytes === 0 ? LONGEST_MESSAGE : Math.min(LONGEST_MESSAGE, maximumBodyBytes);
  const declared = Number(request.headers.get('content-length') ?? 0);
  const bytes = declared > limitBytes ? 'too_long' : ((await request.readBody?.(limitBytes)) ?? 'stalled');
  if (bytes === 'too_long') return { reason: 'body_too_large', limitBytes };
  return bytes === 'stalled' ? { reason: 'request_stalled' } : readMessage(bytes);
}

/** What the body says otherwise than the fields (MCP, Streamable HTTP, “Server Validation”); null: nothing. */
function differences(request: AccessRequest, { method, name }: McpMessage, body: BodyMessage): Reason | null {
  if (body.version !== null && body.version !== request.headers.get('mcp-protocol-version'))
    return { reason: 'mcp_mismatch', field: 'mcp-protocol-version' };
  if (body.method !== method) return { reason: 'mcp_mismatch', field: 'mcp-method' };
  if (name !== null && nameIn(body, nameMember(method)) !== name) return { reason: 'mcp_mismatch', field: 'mcp-name' };
  return null;
}

/** What a request of an earlier revision asks for. Only `initialize` comes without a version. */
function messageByBody(request: AccessRequest, body: BodyMessage, rows: readonly Endpoint[]): McpMessage | Reason {
  if (request.headers.get('mcp-protocol-version') === null && body.method !== 'initialize')
    return fieldInvalid('mcp-protocol-version', 'missing');
  const method = body.method ?? '';
  const name = nameIn(body, nameMember(method));
  if (name === null && needsName(method, rows)) return { reason: 'mcp_body_invalid', problem: 'message' };
  // Such requests have no use for the fields; those that come all the same must be true.
  const [sentMethod, sentName] = [readField(request, 'mcp-method'), readName(request)];
  if (sentMethod !== null && sentMethod !== method) return { reason: 'mcp_mismatch', field: 'mcp-method' };
  if (sentName !== null && sentName !== name) return { reason: 'mcp_mismatch', field: 'mcp-name' };
  return checked({ method, name }, rows);
}
