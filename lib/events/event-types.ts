/** What an event does to the credentials of its subject. */
export type EventEffect =
  /** What was issued before the event is refused. */
  | 'revoke'
  /** Everything is refused until the account is enabled again. */
  | 'hold'
  | 'release'
  /** A message about the stream itself. */
  | 'verify'
  | 'ignore';

export interface EventType {
  /** Short name, for records and metrics: one of `EVENT_NAMES`. */
  readonly name: string;
  readonly effect: EventEffect;
}

const SCHEMAS = 'https://schemas.openid.net/secevent';
const CAEP = `${SCHEMAS}/caep/event-type`;
const RISC = `${SCHEMAS}/risc/event-type`;

/** CAEP 1.0 §3, RISC 1.0 §2, OpenID Shared Signals Framework 1.0 §8.1.4; the second and third verification are its drafts'. */
const known: ReadonlyMap<string, EventType> = new Map<string, EventType>([
  [`${CAEP}/session-revoked`, { name: 'session-revoked', effect: 'revoke' }],
  [`${CAEP}/credential-change`, { name: 'credential-change', effect: 'revoke' }],
  [`${RISC}/sessions-revoked`, { name: 'sessions-revoked', effect: 'revoke' }],
  [`${RISC}/account-disabled`, { name: 'account-disabled', effect: 'hold' }],
  [`${RISC}/account-purged`, { name: 'account-purged', effect: 'hold' }],
  [`${RISC}/account-enabled`, { name: 'account-enabled', effect: 'release' }],
  [`${SCHEMAS}/ssf/event-type/verification`, { name: 'verification', effect: 'verify' }],
  [`${SCHEMAS}/sse/event-type/verification`, { name: 'verification', effect: 'verify' }],
  [`${RISC}/verification`, { name: 'verification', effect: 'verify' }],
  [`${SCHEMAS}/ssf/event-type/stream-updated`, { name: 'stream-updated', effect: 'ignore' }],
]);

const other: EventType = { name: 'other', effect: 'ignore' };

/** What the type of an event means here. A type that nobody knows does nothing. */
export function eventTypeOf(uri: string): EventType {
  return known.get(uri) ?? other;
}

/** Every name of an event, for records and metrics. */
export const EVENT_NAMES: readonly string[] = [...new Set([...known.values(), other].map(({ name }) => name))];
