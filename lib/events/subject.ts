import { isSubject } from '../authenticate/jwt/subject.ts';
import { isJsonObject, type JsonValue, member } from '../codec/strict-json.ts';

/** What an event is about: a subject or one token, each of one issuer. */
export interface EventSubject {
  readonly kind: 'sub' | 'jti';
  readonly issuer: string;
  readonly id: string;
}

const LONGEST_TOKEN_ID = 1024;
const MOST_ALIASES = 16;

/**
 * Reads a subject identifier (RFC 9493 §3). Formats `iss_sub`, `opaque` (a subject of the transmitter) and `jwt_id` name
 * somebody here; `aliases` counts by those among its identifiers, and a complex subject (Shared Signals Framework 1.0 §3.3)
 * by its user: whoever revokes one session of a user revokes all tokens of the user. Earlier drafts wrote `subject_type` and
 * hyphens.
 *
 * @returns everything that it names; null where it names nobody.
 */
export function readSubject(value: JsonValue | undefined, transmitter: string): readonly EventSubject[] | null {
  if (!isJsonObject(value)) return null;
  const format = formatOf(value);
  // Without a format it is a complex subject of an early draft.
  if (format === 'complex' || (format === '' && isJsonObject(member(value, 'user'))))
    return readSubject(member(value, 'user'), transmitter);
  if (format !== 'aliases') {
    const subject = simpleSubject(format, value, transmitter);
    return subject === null ? null : [subject];
  }
  const identifiers = member(value, 'identifiers');
  if (!Array.isArray(identifiers) || identifiers.length > MOST_ALIASES) return null;
  const named = identifiers.flatMap((each: JsonValue) =>
    isJsonObject(each) ? (simpleSubject(formatOf(each), each, transmitter) ?? []) : [],
  );
  return named.length === 0 ? null : named;
}

type Members = Readonly<Record<string, JsonValue>>;

function formatOf(value: Members): string {
  const format = member(value, 'format') ?? member(value, 'subject_type');
  return typeof format === 'string' ? format.replaceAll('-', '_') : '';
}

function simpleSubject(format: string, value: Members, transmitter: string): EventSubject | null {
  const [issuer, id] = [member(value, 'iss'), member(value, format === 'jwt_id' ? 'jti' : 'sub')];
  switch (format) {
    case 'iss_sub':
      return isSubject(issuer) && isSubject(id) ? { kind: 'sub', issuer, id } : null;
    case 'opaque': {
      const own = member(value, 'id');
      return isSubject(own) ? { kind: 'sub', issuer: transmitter, id: own } : null;
    }
    case 'jwt_id':
      return isSubject(issuer) && isTokenId(id) ? { kind: 'jti', issuer, id } : null;
    default:
      return null;
  }
}

function isTokenId(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_TOKEN_ID && value.isWellFormed();
}
