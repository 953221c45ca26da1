import { isJsonObject, type JsonValue } from '../../codec/strict-json.ts';
import { withoutSecrets } from '../masking.ts';
import type { Problem } from '../problem.ts';
import type { DeclaredIssuer, IssuerMember } from './issuer.ts';
import { members } from './members.ts';
import { memberMeant, pathFault } from './traps.ts';

/** More issuers than one API has; each keeps a key set of its own. */
const mostIssuers = 50;

export interface IssuerRows {
  readonly rows: readonly DeclaredIssuer[];
  readonly problems: readonly Problem[];
}

/**
 * Reads the rows of `TGEFD_ISSUERS`: members and their forms. What members demand of each other and of the environment is
 * left to `completeIssuer`.
 *
 * @param document - the JSON value, parsed strictly.
 * @param variable - what the document was read from, for the problems.
 * @returns the rows that could be read, and every problem.
 * @example
 * parseIssuerRows([{ issuer: 'https://id.example', audience: 'api' }], 'TGEFD_ISSUERS').rows.length; // 1
 */
export function parseIssuerRows(document: JsonValue, variable: string): IssuerRows {
  if (!Array.isArray(document) || document.length === 0 || document.length > mostIssuers)
    return {
      rows: [],
      problems: [{ variable, found: kindOf(document), accepted: `a JSON array of 1 to ${mostIssuers} objects` }],
    };
  const problems: Problem[] = [];
  const rows = document.flatMap((row: JsonValue, index) => {
    const name = `${variable}[${index}]`;
    if (isJsonObject(row)) return [parseRow(row, name, problems)];
    problems.push({ variable: name, found: kindOf(row), accepted: 'an object' });
    return [];
  });
  return { rows, problems };
}

function parseRow(row: Readonly<Record<string, JsonValue>>, name: string, problems: Problem[]): DeclaredIssuer {
  const declared: Partial<Record<IssuerMember, unknown>> = {};
  for (const [member, value] of Object.entries(row)) {
    if (!isMember(member)) {
      problems.push({
        variable: `${name}.${member.slice(0, 40)}`,
        found: 'an unknown member',
        accepted: memberMeant(member, Object.keys(members)),
      });
      continue;
    }
    const parsed = members[member].schema.safeParse(value);
    if (parsed.success) declared[member] = parsed.data;
    else {
      const accepted = pathFault(member, value) ?? members[member].accepts;
      problems.push({ variable: `${name}.${member}`, found: shown(value), accepted });
    }
  }
  if (!Object.hasOwn(row, 'issuer'))
    problems.push({ variable: `${name}.issuer`, found: 'nothing', accepted: members.issuer.accepts });
  return declared as DeclaredIssuer;
}

function isMember(name: string): name is IssuerMember {
  return Object.hasOwn(members, name);
}

/** A refused value for the operator to read, without what looks like a secret. */
function shown(value: JsonValue): string {
  const json = JSON.stringify(value);
  if (json === '""') return 'an empty text';
  if (typeof value === 'object' && value !== null && json.length > 80) return kindOf(value);
  return withoutSecrets(json).slice(0, 120);
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
