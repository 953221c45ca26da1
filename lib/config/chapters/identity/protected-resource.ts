import { url } from '../../kinds.ts';
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
} as const;
