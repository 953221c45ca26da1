import type { Pseudonyms } from '../../audit/pseudonym.ts';
import type { Recorder } from '../../audit/recorder.ts';
import type { EventRecord } from '../../audit/schema.ts';
import { subjectAt } from '../../authenticate/jwt/subject.ts';
import type { Config } from '../../config/load.ts';
import { EVENT_NAMES } from '../../events/event-types.ts';
import { createMemoryEvents } from '../../events/memory-store.ts';
import { createReceiver, type EventFacts, type ReceiveEvent } from '../../events/receiver.ts';
import { createRedisEvents } from '../../events/redis-store.ts';
import { createVerifyEvent } from '../../events/security-event-token.ts';
import { createEventsPage, type EventsPage } from '../../http/events-page.ts';
import type { Examine } from '../../request/boundary.ts';
import { createTransportFields } from '../../respond/transport.ts';
import type { Carried } from '../carried.ts';
import { recording } from '../observe/record.ts';
import type { Runtime } from '../runtime.ts';
import type { SharedParts } from '../shared-parts.ts';
import { steadyClock } from '../steady-clock.ts';

export interface EventsParts {
  readonly examine: Examine;
  readonly shared: SharedParts;
  readonly carried: Carried;
  readonly recorder: Recorder;
}

/** The page that takes security events, or null where no transmitter is configured. */
export function composeEvents(config: Config, runtime: Runtime, parts: EventsParts): EventsPage | null {
  if (config.eventIssuers.length === 0) return null;
  const { clock, newId } = runtime;
  const { pseudonyms, metrics } = parts.shared;
  const record = recording(config, parts.recorder, pseudonyms);
  const counter = metrics.counter('tgefd_security_events_total', 'Security events that were pushed here.', {
    event: EVENT_NAMES,
    outcome: OUTCOMES,
  });
  return createEventsPage({
    examine: parts.examine,
    failures: parts.carried.failures,
    transportFields: createTransportFields(config.settings.environment === 'production'),
    receive: composeReceiver(config, runtime, parts),
    requireTls: config.settings.requireTls,
    authMode: config.authMode,
    async record(decision, facts, effect, context) {
      const event = await eventRecord(facts, effect, config, pseudonyms);
      return (await record(decision, context, event)) ?? null;
    },
    count({ names }, outcome) {
      for (const event of names.length === 0 ? ['other'] : names) counter.add({ event, outcome });
    },
    ...{ clock, newId, stopwatch: steadyClock(runtime) },
  });
}

const OUTCOMES: readonly EventRecord['effect'][] = [
  'revoked',
  'released',
  'unchanged',
  'repeated',
  'verified',
  'ignored',
  'refused',
  'unavailable',
];

/** A token without a limit of its own is taken to live no longer. */
const LONGEST_TOKEN_SECONDS = 400 * 24 * 3600;

function composeReceiver(
  { settings, eventIssuers, issuers }: Config,
  { clock, cryptography }: Runtime,
  { carried }: EventsParts,
): ReceiveEvent {
  const { eventPlace: place } = carried.store;
  const clockSkewSeconds = settings.jwtClockSkewSeconds;
  const transmitters = eventIssuers.flatMap((each, index) => {
    const own = carried.eventKeySets[index];
    return own === undefined ? [] : [{ ...each, keySets: own, subjectIssuers: new Set(each.subjectIssuers) }];
  });
  const byName = new Map(issuers.flatMap((issuer) => issuer.spellings.map((spelling) => [spelling, issuer])));
  const nowSeconds = () => Math.floor(clock() / 1000);
  return createReceiver(
    {
      clockSkewSeconds,
      canonicalIssuer: (issuer) => byName.get(issuer)?.spellings[0] ?? issuer,
      longestLifeSeconds(issuer) {
        const named = byName.get(issuer);
        // An opaque token may end when its issuer likes.
        const seconds = named?.introspection === null ? named.maximumLifetimeSeconds : null;
        return (seconds ?? LONGEST_TOKEN_SECONDS) + 2 * clockSkewSeconds;
      },
    },
    {
      verify: createVerifyEvent(transmitters, { clockSkewSeconds }, { signaturePrimitive: cryptography?.verify }),
      store:
        'memory' in place
          ? createMemoryEvents(place.memory, clock)
          : createRedisEvents(place.connection, { pseudonyms: place.pseudonyms, nowSeconds }),
      clock,
    },
  );
}

/** What the record says of an event: pseudonyms only, those of subjects as in the records of their requests. */
async function eventRecord(
  { issuer, names, tokenId, subjects }: EventFacts,
  effect: EventRecord['effect'],
  { issuers }: Config,
  pseudonyms: Pseudonyms,
): Promise<EventRecord> {
  const byIssuer = issuers.some(({ identifiesByIssuer }) => identifiesByIssuer);
  const named = subjects.map(({ kind, issuer: at, id }) =>
    kind === 'jti' ? pseudonyms.of('token_id', id) : pseudonyms.of('identity', byIssuer ? subjectAt(at, id) : id),
  );
  return {
    effect,
    types: [...names],
    issuer: issuer === null ? null : issuer.replace(/[^\x20-\x7e]/g, '?').slice(0, 256),
    subjects: [...new Set(await Promise.all(named))],
    token: tokenId === null ? null : await pseudonyms.of('token_id', tokenId),
  };
}
