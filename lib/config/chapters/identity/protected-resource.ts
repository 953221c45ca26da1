import { boolean, url } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Protected resource” of the configuration. */
export const protectedResource = {
  resource: setting({
    name: 'TGEFD_RESOURCE',
    kind: url,
    fallback: null,
    meaning:
      'Identifier of the protected resource. If it is set, `/.well-known/oauth-protected-resource` serves its metadata (RFC 9728), and challenges name this URL.',
  }),
  mcpLegacy: setting({
    name: 'TGEFD_MCP_LEGACY',
    kind: boolean,
    fallback: false,
    meaning:
      'Whether rows with `mcp` also accept requests of the revisions 2025-11-25 and 2025-06-18. These name method and name in the body only. The gateway reads the body; forward-auth and Lambda see no body and refuse them.',
  }),
} as const;
