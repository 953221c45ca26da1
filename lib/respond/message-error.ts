import type { Reason } from '../decision/reason.ts';

/**
 * The JSON-RPC error of a message that was refused, as further members of its problem document (RFC 9457 §3.2): clients of
 * MCP tell by it that the server speaks the present revision, and which versions it takes. Holds nothing of the request.
 */
export function messageError(reason: Reason): Readonly<Record<string, unknown>> {
  const error = (code: number, message: string, data?: unknown) => ({
    jsonrpc: '2.0',
    id: null,
    error: { code, message, ...(data === undefined ? {} : { data }) },
  });
  switch (reason.reason) {
    case 'mcp_field_invalid':
      return reason.problem === 'unsupported'
        ? error(-32022, 'Unsupported protocol version', { supported: reason.supported ?? [], requested: '' })
        : error(-32020, `Header mismatch: ${reason.field} is ${reason.problem.replace('_', ' ')}`);
    case 'mcp_mismatch':
      return error(-32020, `Header mismatch: ${reason.field} differs from the body`);
    case 'mcp_body_invalid':
      return reason.problem === 'message' ? error(-32600, 'Invalid Request') : error(-32700, 'Parse error');
    case 'endpoint_unknown':
      // The transport page demands 404 with this code for a method that the server does not have.
      if (reason.unknown === undefined) return {};
      return reason.unknown === 'method'
        ? error(-32601, 'Method not found')
        : error(-32602, 'Invalid params: unknown name');
    default:
      return {};
  }
}
