import { document, instant } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Shadow” of the configuration. */
export const shadow = {
  shadowEndpoints: setting({
    name: 'TGEFD_SHADOW_ENDPOINTS',
    member: 'shadow_endpoints',
    kind: document('a JSON array of rows as in `TGEFD_ENDPOINTS`'),
    fallback: null,
    meaning:
      'A second endpoint table that is decided besides the current one. Answers do not change. Records and metrics say where its decision differs.',
  }),
  shadowUntil: setting({
    name: 'TGEFD_SHADOW_UNTIL',
    kind: instant,
    fallback: null,
    meaning:
      'Until this time, 403 and 429 for authenticated callers are recorded as `would_deny`, and the request passes. At most 30 days ahead. 401 is always refused.',
  }),
} as const;
