import { readFile } from 'node:fs/promises';
import { type CompactJws, parseCompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { shownClaim } from '../../authenticate/jwt/token-issuer.ts';
import { isJsonObject } from '../../codec/strict-json.ts';
import type { Composed } from '../../compose/authorizer.ts';
import type { EventIssuer, EventIssuerMember } from '../../config/events/event-issuer.ts';
import { eventTypeOf } from '../../events/event-types.ts';
import { EVENTS_PATH } from '../../http/events-page.ts';
import { printable } from '../../policy/explain/explanation.ts';
import { command, type Output, Unusable } from '../command.ts';
import { composeForCommand } from '../compose.ts';
import { createSheet, type Sheet } from './sheet.ts';

/** Reads one real security event token, and tells what the configuration would make of it. */
export const event = command({
  summary: 'Reads one security event token and says what the configuration would do with it. Changes nothing.',
  options: {
    'set-file': { type: 'string', value: 'FILE', required: true, means: 'A file with one security event token.' },
  },
  examples: [
    { line: 'doctor event --set-file event.jwt', does: 'Shows the effect of the event, or why it is refused.' },
  ],
  json: 'An object: `event` (what it says), and `answer`: null without a configured transmitter, else `status`, `effect`, `error`, `check`, `found`, `wanted` and `set_by`.',
  exits: { yes: 'It would be accepted.', no: 'It would be refused.' },
  async run({ 'set-file': file }, console) {
    const text = (await readFile(file, 'utf8')).trim();
    const jws = parseCompactJws(text);
    if (typeof jws === 'string') throw new Unusable(`This is no JWT (${jws}), and so no security event token.`);
    const sheet = createSheet(console);
    tellEvent(jws, sheet);
    const composed = await composeForCommand(console, { trial: true });
    if (composed.events === null) {
      console.out('No transmitter is configured (TGEFD_EVENT_ISSUERS): nothing to compare it with.');
      console.answer({ event: sheet.facts(), answer: null });
      return 1;
    }
    const answer = await judge(text, jws, composed, composed.events);
    console.answer({ event: sheet.facts(), answer });
    tellAnswer(answer, console);
    return answer.status === 202 ? 0 : 1;
  },
});

function tellEvent({ header, claims }: CompactJws, { say }: Sheet): void {
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

interface Answer {
  readonly status: number;
  readonly effect: string | null;
  readonly error: string | null;
  readonly check: string | null;
  readonly found: string | null;
  readonly wanted: string | null;
  readonly set_by: string | null;
}

async function judge(
  text: string,
  jws: CompactJws,
  { config }: Composed,
  receive: NonNullable<Composed['events']>,
): Promise<Answer> {
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
  const { status } = answer;
  const effect = typeof told.effect === 'string' ? told.effect : null;
  if (typeof told.check !== 'string')
    return { status, effect, error: null, check: null, found: null, wanted: null, set_by: null };
  const row = config.eventIssuers.find(({ spellings }) => spellings.includes(String(jws.claims.iss)));
  const { found, wanted, member } = factsOf(told.check, jws, row, config.eventIssuers);
  const setBy = member === null ? 'the transmitter' : (row?.setBy[member] ?? 'TGEFD_EVENT_ISSUERS');
  return { status, effect, error: String(told.error), check: told.check, found, wanted, set_by: setBy };
}

function tellAnswer({ status, effect, error, check, found, wanted, set_by: setBy }: Answer, console: Output): void {
  console.out('');
  console.out(`answer         ${status} ${printable(effect ?? '')}`);
  if (check === null) return;
  console.out(console.style('bad', `refused        ${error}: ${check}`));
  console.out(`  found        ${printable(found ?? '')}`);
  console.out(`  wanted       ${printable(wanted ?? '')}`);
  console.out(`  set by       ${setBy}`);
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
