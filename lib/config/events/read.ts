import { issuerUrl } from '../../authenticate/jwks/discovery.ts';
import { keySetFault } from '../../authenticate/jwks/json-web-key-set.ts';
import { parseStrictJson } from '../../codec/strict-json.ts';
import type { IssuerSettings } from '../issuers/issuer.ts';
import { firstSpellings } from '../issuers/spellings.ts';
import type { Problem } from '../problem.ts';
import { isLoopback, type Place } from '../rules/check.ts';
import { type Settings, variables } from '../variables.ts';
import type { EventIssuer, EventIssuerMember } from './event-issuer.ts';
import { type DeclaredEventIssuer, parseEventIssuerRows } from './rows.ts';

export interface ReadEventIssuers {
  readonly eventIssuers: readonly EventIssuer[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

const nobody: ReadEventIssuers = { eventIssuers: [], problems: [], warnings: [] };

/** Media type of a security event token (RFC 8417 §2.3). */
export const SECURITY_EVENT_TYPE = 'secevent+jwt';

type Surroundings = Pick<Settings, 'eventIssuers' | 'environment' | 'egressAllow'>;

/**
 * Reads the transmitters of security events.
 *
 * @param settings - every setting.
 * @param place - where the configuration is used.
 * @param issuers - the issuers whose tokens count; empty where tokens do not.
 * @returns the transmitters, completed, with every problem and warning.
 * @example
 * readEventIssuers(config.settings, config.place, config.issuers).eventIssuers.length;
 */
export function readEventIssuers(
  settings: Surroundings,
  place: Place,
  issuers: readonly Pick<IssuerSettings, 'spellings'>[],
): ReadEventIssuers {
  const { name, kind } = variables.eventIssuers;
  if (settings.eventIssuers === null) return nobody;
  const document = parseStrictJson(settings.eventIssuers);
  if (document === undefined) {
    const problem = { variable: name, found: 'malformed JSON, or a member given twice', accepted: kind.accepts };
    return { ...nobody, problems: [problem] };
  }
  const { rows, problems } = parseEventIssuerRows(document, name);
  if (problems.length > 0) return { ...nobody, problems };
  const eventIssuers = rows.map((row, index) => completed(row, `${name}[${index}]`, settings, issuers));
  return {
    eventIssuers,
    problems: [
      ...eventIssuers.flatMap((each) => rowProblems(each, settings, place)),
      ...sharedSpellings(eventIssuers),
      ...eventIssuers.flatMap((each, index) => strangers(each, rows[index], issuers)),
    ],
    warnings: [
      ...(issuers.length === 0 ? [idle(name, 'tokens (`jwt` in TGEFD_AUTH_MODE), which events revoke')] : []),
      ...eventIssuers.flatMap((each, index) => silent(each, rows[index], issuers)),
    ],
  };
}

function completed(
  row: DeclaredEventIssuer,
  name: string,
  settings: Surroundings,
  issuers: readonly Pick<IssuerSettings, 'spellings'>[],
): EventIssuer {
  const spellings = row.issuer ?? [];
  const first = firstSpellings(issuers);
  const subjectIssuers = (row.subject_issuers ?? spellings).map((each) => first.get(each) ?? each);
  const setBy = (member: EventIssuerMember) => `${name}.${member}`;
  return {
    spellings,
    audiences: row.audience ?? [],
    keys: row.keys ?? { from: 'discovery', issuer: spellings[0] ?? '' },
    keySetHosts: settings.egressAllow,
    algorithms: row.algorithms ?? ['RS256'],
    types: row.types ?? [SECURITY_EVENT_TYPE],
    subjectIssuers: [...new Set(subjectIssuers)],
    setBy: {
      issuer: setBy('issuer'),
      audience: setBy('audience'),
      keys: setBy('keys'),
      algorithms: setBy('algorithms'),
      types: setBy('types'),
      subject_issuers: setBy('subject_issuers'),
    },
  };
}

/** What one transmitter demands of the place where it is used. */
function rowProblems(
  { keys, algorithms, setBy }: EventIssuer,
  { environment }: Surroundings,
  { platform }: Place,
): readonly Problem[] {
  const development = environment === 'development';
  const reachable = (url: URL) => url.protocol === 'https:' || (development && isLoopback(url));
  const problem = (found: string, accepted: string) => [{ variable: setBy.keys, found, accepted }];
  const unless = development ? ', or http: on a loopback host' : '';
  switch (keys.from) {
    case 'url':
      return reachable(keys.url) ? [] : problem('an http: URL', `an https: URL${unless}`);
    case 'discovery': {
      const url = issuerUrl(keys.issuer);
      if (url !== null && reachable(url)) return [];
      return problem('nothing', `the URL of the key set, or an issuer that is an https: URL${unless}`);
    }
    case 'file':
      return platform === 'worker' ? problem('a file', 'a URL or the keys themselves: a Worker has no files') : [];
    case 'inline': {
      const fault = keySetFault(keys.text, { algorithms, uses: ['sig'] });
      return fault === null ? [] : problem(fault, `public keys for ${algorithms.join(', ')}`);
    }
    case 'secret':
      return [];
  }
}

/** Two transmitters that share a spelling: nobody could say whose key verifies such an event. */
function sharedSpellings(eventIssuers: readonly EventIssuer[]): readonly Problem[] {
  const seen = new Set<string>();
  return eventIssuers.flatMap(({ spellings, setBy }) => {
    const shared = spellings.filter((spelling) => seen.has(spelling));
    for (const spelling of spellings) seen.add(spelling);
    return shared.map((spelling) => ({
      variable: setBy.issuer,
      found: JSON.stringify(spelling.slice(0, 80)),
      accepted: 'an issuer that stands in one row only',
    }));
  });
}

/** Listed issuers of subjects whose tokens nobody accepts here. */
function strangers(
  { setBy }: EventIssuer,
  row: DeclaredEventIssuer | undefined,
  issuers: readonly Pick<IssuerSettings, 'spellings'>[],
): readonly Problem[] {
  const known = issuers.flatMap(({ spellings }) => spellings);
  if (known.length === 0) return [];
  return (row?.subject_issuers ?? [])
    .filter((each) => !known.includes(each))
    .map((each) => ({
      variable: setBy.subject_issuers,
      found: JSON.stringify(each.slice(0, 80)),
      accepted: `configured issuers of tokens (${known.join(', ')})`,
    }));
}

/** A transmitter that speaks for nobody whose tokens count. */
function silent(
  { spellings, setBy }: EventIssuer,
  row: DeclaredEventIssuer | undefined,
  issuers: readonly Pick<IssuerSettings, 'spellings'>[],
): readonly Problem[] {
  const known = issuers.flatMap((issuer) => issuer.spellings);
  if (known.length === 0 || row?.subject_issuers !== undefined) return [];
  if (spellings.some((each) => known.includes(each))) return [];
  return [idle(setBy.subject_issuers, 'the issuers whose tokens its events revoke, since it issues none that count')];
}

function idle(variable: string, accepted: string): Problem {
  return { variable, found: 'nothing', accepted };
}

/** Where the keys of the transmitters are fetched, each with what names it. */
export function eventKeyPlaces(settings: Settings): readonly (readonly [url: URL, setBy: string])[] {
  const anywhere: Place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false };
  return readEventIssuers(settings, anywhere, []).eventIssuers.flatMap(({ keys, setBy }) => {
    if (keys.from === 'url') return [[keys.url, setBy.keys] as const];
    const own = keys.from === 'discovery' ? issuerUrl(keys.issuer) : null;
    return own === null ? [] : [[own, setBy.issuer] as const];
  });
}
