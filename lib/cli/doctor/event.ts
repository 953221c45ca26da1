import { readFile } from 'node:fs/promises';
import { type CompactJws, parseCompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { shownClaim } from '../../authenticate/jwt/token-issuer.ts';
import { isJsonObject } from '../../codec/strict-json.ts';
import type { Composed } from '../../compose/authorizer.ts';
import type { EventIssuer, EventIssuerMember } from '../../config/events/event-issuer.ts';
import { eventTypeOf } from '../../events/event-types.ts';
import { EVENTS_PATH } from '../../http/events-page.ts';
import { printable } from '../../policy/explain/explanation.ts';
import { type Console, options, Usage } from '../command.ts';
import { composeForCommand } from '../compose.ts';

/**
 * `doctor event`: reads one real security event token and tells what it says, and what the configuration of this environment
 * would make of it. Applies nothing. Exit status 0: it would be accepted.
 */
export async function doctorEvent(args: readonly string[], console: Console): Promise<number> {
  const { values } = options(args, { 'set-file': { type: 'string' } });
  const file = values['set-file'];
  if (file === undefined) throw new Usage('--set-file is a file with one security event token');
  const text = (await readFile(file, 'utf8')).trim();
  const jws = parseCompactJws(text);
  if (typeof jws === 'string') {
    console.out(`This is no JWT (${jws}), and so no security event token.`);
    return 1;
  }
  tellEvent(jws, console);
  const composed = await composeForCommand(console, { trial: true });
  if (composed === null) return 2;
  if (composed.events === null) {
    console.out('No transmitter is configured (TGEFD_EVENT_ISSUERS): nothing to compare it with.');
    return 1;
  }
  return judge(text, jws, composed, composed.events, console);
}

function tellEvent({ header, claims }: CompactJws, console: Console): void {
  const say = (name: string, value: string) => console.out(`${name.padEnd(14)} ${printable(value)}`);
  say('iss', shownClaim(claims.iss));
  say('aud', shownClaim(claims.aud));
  say('algorithm', `${shownClaim(header.alg)}, kid ${shownClaim(header.kid)}, typ ${shownClaim(header.typ)}`);
  const { events } = claims;
  for (const [uri, payload] of isJsonObject(events) ? Object.entries(events) : []) {
    say('event', `${uri}: ${EFFECTS[eventTypeOf(uri).effect]}`);
    const subject = claims.sub_id ?? (isJsonObject(payload) ? payload.subject : undefined);
    say('subject', isJsonObject(subject) ? `format ${shownClaim(subject.format ?? subject.subject_type)}` : 'none');
  }
}

const EFFECTS = {
  revoke: 'revokes tokens that were issued before',
  hold: 'refuses every token until the account is enabled',
  release: 'ends such a hold',
  verify: 'tests the stream',
  ignore: 'does nothing here',
} as const;

async function judge(
  text: string,
  jws: CompactJws,
  { config }: Composed,
  receive: NonNullable<Composed['events']>,
  console: Console,
): Promise<number> {
  let told: Readonly<Record<string, unknown>> = {};
  const request = new Request(`https://localhost${EVENTS_PATH}`, {
    ...{ method: 'POST', body: text, headers: { 'content-type': 'application/secevent+jwt' } },
  });
  const hop = { peerAddress: null, secure: true, certificate: null };
  const headers = new Headers({ host: 'localhost' });
  const answer = await receive({ door: 'gateway', method: 'POST', target: EVENTS_PATH, headers, hop }, request, {
    defer: () => undefined,
    explain: (step, _, facts = {}) => {
      if (step === 'event') told = facts;
    },
  });
  console.out('');
  console.out(`answer         ${answer.status} ${printable(String(told.effect ?? ''))}`);
  if (typeof told.check !== 'string') return answer.status === 202 ? 0 : 1;
  const row = config.eventIssuers.find(({ spellings }) => spellings.includes(String(jws.claims.iss)));
  const { found, wanted, member } = factsOf(told.check, jws, row, config.eventIssuers);
  console.out(`refused        ${told.error}: ${told.check}`);
  console.out(`  found        ${printable(found)}`);
  console.out(`  wanted       ${printable(wanted)}`);
  console.out(`  set by       ${member === null ? 'the transmitter' : (row?.setBy[member] ?? 'TGEFD_EVENT_ISSUERS')}`);
  return 1;
}

interface Facts {
  readonly found: string;
  readonly wanted: string;
  /** The member of the row that decides; null: nothing here does. */
  readonly member: EventIssuerMember | null;
}

function factsOf(
  check: string,
  { header, claims }: CompactJws,
  row: EventIssuer | undefined,
  rows: readonly EventIssuer[],
): Facts {
  const list = (values: readonly string[] = []) => values.join(' or ');
  switch (check) {
    case 'iss':
      return {
        found: shownClaim(claims.iss),
        wanted: list(rows.flatMap(({ spellings }) => spellings)),
        member: 'issuer',
      };
    case 'aud':
      return { found: shownClaim(claims.aud), wanted: list(row?.audiences), member: 'audience' };
    case 'alg':
      return { found: shownClaim(header.alg), wanted: list(row?.algorithms), member: 'algorithms' };
    case 'typ':
      return { found: shownClaim(header.typ), wanted: list(row?.types), member: 'types' };
    case 'key':
      return { found: `kid ${shownClaim(header.kid)}`, wanted: 'a signature by a key of the set', member: 'keys' };
    case 'subject_issuer':
      return { found: 'a subject of another issuer', wanted: list(row?.subjectIssuers), member: 'subject_issuers' };
    case 'subject':
      return { found: 'no subject that is known here', wanted: 'format iss_sub, opaque or jwt_id', member: null };
    default:
      return { found: shownClaim(claims[check]), wanted: `a valid \`${check}\``, member: null };
  }
}
