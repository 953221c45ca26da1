import { isJsonObject, type JsonValue } from '../../codec/strict-json.ts';
import type { KeysFrom } from '../issuers/issuer.ts';
import { members as issuerMembers, like, type Member } from '../issuers/members.ts';
import { nearest } from '../names.ts';
import type { Problem } from '../problem.ts';
import type { EventIssuerMember } from './event-issuer.ts';

/** More transmitters than one API has; each keeps a key set of its own. */
const MOST_ROWS = 50;

/** What a row says; what it leaves out is undefined. */
export interface DeclaredEventIssuer {
  readonly issuer?: readonly string[];
  readonly audience?: readonly string[];
  readonly keys?: KeysFrom;
  readonly algorithms?: readonly string[];
  readonly types?: readonly string[];
  readonly subject_issuers?: readonly string[];
}

/** Every member that a row may have. */
export const eventIssuerMembers: { readonly [M in EventIssuerMember]: Member<unknown> } = {
  issuer: like(issuerMembers.issuer, 'the exact `iss` of its events, or a list of its spellings'),
  audience: issuerMembers.audience,
  keys: issuerMembers.keys,
  algorithms: issuerMembers.algorithms,
  types: issuerMembers.types,
  subject_issuers: like(issuerMembers.issuer, 'an issuer of tokens, or a list of them'),
};

/** Reads the rows of `TGEFD_EVENT_ISSUERS`; what they demand of the rest of the configuration is for `readEventIssuers`. */
export function parseEventIssuerRows(
  document: JsonValue,
  variable: string,
): { readonly rows: readonly DeclaredEventIssuer[]; readonly problems: readonly Problem[] } {
  if (!Array.isArray(document) || document.length === 0 || document.length > MOST_ROWS) {
    const problem = { variable, found: 'something else', accepted: `a JSON array of 1 to ${MOST_ROWS} objects` };
    return { rows: [], problems: [problem] };
  }
  const problems: Problem[] = [];
  const rows = document.map((row: JsonValue, index) => parseRow(row, `${variable}[${index}]`, problems));
  return { rows, problems };
}

function parseRow(row: JsonValue, name: string, problems: Problem[]): DeclaredEventIssuer {
  const report = (member: string, found: string, accepted: string) =>
    void problems.push({ variable: `${name}.${member}`, found, accepted });
  if (!isJsonObject(row)) {
    problems.push({ variable: name, found: 'something else', accepted: 'an object' });
    return {};
  }
  const declared: Partial<Record<EventIssuerMember, unknown>> = {};
  for (const [member, value] of Object.entries(row)) {
    if (!isMember(member)) {
      const known = nearest(member, Object.keys(eventIssuerMembers)).name;
      report(member.slice(0, 40), 'an unknown member', `\`${known}\`?`);
      continue;
    }
    const parsed = eventIssuerMembers[member].schema.safeParse(value);
    if (parsed.success) declared[member] = parsed.data;
    else report(member, 'something else', eventIssuerMembers[member].accepts);
  }
  for (const member of ['issuer', 'audience'] as const)
    if (!Object.hasOwn(row, member)) report(member, 'nothing', eventIssuerMembers[member].accepts);
  return declared as DeclaredEventIssuer;
}

function isMember(name: string): name is EventIssuerMember {
  return Object.hasOwn(eventIssuerMembers, name);
}
