import { document } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Shared signals” of the configuration. */
export const sharedSignals = {
  eventIssuers: setting({
    name: 'TGEFD_EVENT_ISSUERS',
    member: 'event_issuers',
    kind: document('a JSON array of transmitters, see `docs/reference/event-issuers.md`'),
    fallback: null,
    meaning:
      'Transmitters of security events (RFC 8417, CAEP, RISC) whose events revoke credentials at `POST /_authorizer/events`.',
  }),
} as const;
