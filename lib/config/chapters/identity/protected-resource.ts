import { boolean, url } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Protected resource” of the configuration. */
export const protectedResource = {
  resource: setting({
    name: 'TGEFD_RESOURCE',
    kind: url,
    fallback: null,
    meaning:
      'Identifier of the protected resource: its metadata is then served below `/.well-known/oauth-protected-resource` (RFC 9728), and challenges name it.',
  }),
  mcpLegacy: setting({
    name: 'TGEFD_MCP_LEGACY',
    kind: boolean,
    fallback: false,
    meaning:
      'Whether rows with `mcp` also serve requests of the revisions 2025-11-25 and 2025-06-18, whose method and name stand in the body only. The gateway reads them there; forward-auth and Lambda, which see no body, refuse them.',
  }),
} as const;
