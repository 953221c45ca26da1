import { type JsonObject, member } from '../../codec/strict-json.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import type { CompactJws, MalformedPart } from './compact-jws.ts';
import { cut, shownClaim, type TokenIssuer } from './token-issuer.ts';

/** What `explain` tells beside a reason: the value in the token, the value that would pass, and what decides about it. */
export interface RefusalFacts {
  readonly found?: string;
  readonly wanted?: string;
  readonly set_by?: string;
}

/**
 * What an operator needs to know about a refused token, worked out only when somebody asks. Never holds a signature or a
 * secret. Values are the token's own text: escape them before printing.
 *
 * @param reason - why the token was refused.
 * @param jws - the token taken apart, or the part that could not be.
 * @param issuer - whose token it is, once that is known.
 * @param issuers - every issuer whose tokens count.
 * @param nowMs - the instant at which it was refused.
 * @returns the facts; empty where there is nothing to say.
 * @example
 * refusalFacts({ reason: 'token_issuer_unknown' }, jws, null, issuers, Date.now()).wanted;
 */
export function refusalFacts(
  reason: CredentialReason,
  jws: CompactJws | MalformedPart,
  issuer: TokenIssuer | null,
  issuers: readonly TokenIssuer[],
  nowMs: number,
): RefusalFacts {
  if (typeof jws === 'string')
    return { found: `a malformed ${jws}`, wanted: 'a JWT: three parts of base64url separated by dots' };
  const [alone] = issuers;
  const own = issuer ?? (issuers.length === 1 ? (alone ?? null) : null);
  const many = issuer === null && issuers.length > 1 ? 'TGEFD_ISSUERS' : null;
  const setBy = (rule: keyof TokenIssuer['setBy']) => many ?? own?.setBy[rule] ?? 'TGEFD_ISSUERS';
  const asked = own ? [own] : issuers;
  const listed = (of: (one: TokenIssuer) => readonly string[]) => cut([...new Set(asked.flatMap(of))].join(' or '));

  switch (reason.reason) {
    case 'token_algorithm_refused':
      return {
        found: shownClaim(member(jws.header, 'alg')),
        wanted: listed(({ algorithms }) => algorithms),
        set_by: setBy('algorithms'),
      };
    case 'token_header_refused':
      return headerFacts(reason.parameter, jws.header, listed(typesOf), setBy('types'));
    case 'token_issuer_unknown':
      return {
        found: shownClaim(member(jws.claims, 'iss')),
        wanted: cut(
          nearestFirst(
            asked.flatMap(({ spellings }) => spellings),
            member(jws.claims, 'iss'),
          ).join(' or '),
        ),
        set_by: setBy('issuer'),
      };
    case 'token_key_unknown':
    case 'token_key_ambiguous':
    case 'token_key_unfit':
    case 'token_signature_invalid':
      return keyFacts(reason, jws.header, setBy('keys'));
    case 'token_expired':
      return {
        found: instant(jws.claims, 'exp'),
        wanted: `later than ${atSecond(nowMs / 1000)}`,
        set_by: 'the issuer',
      };
    case 'token_not_yet_valid':
      return {
        found: instant(jws.claims, reason.claim),
        wanted: `at most ${own?.clockSkewSeconds ?? 0} s after ${atSecond(nowMs / 1000)}`,
        set_by: 'TGEFD_JWT_CLOCK_SKEW_SEC',
      };
    case 'token_lifetime_too_long':
      return facts(`${reason.lifetimeSeconds} s`, `at most ${reason.maximumSeconds} s`, setBy('max_ttl_sec'));
    case 'token_claim_refused':
      return requiredFacts(reason.path, jws.claims, own, setBy('require'));
    case 'token_claim_missing':
    case 'token_claim_invalid':
      return claimFacts(reason.claim, jws.claims, own, setBy, listed);
    default:
      return {};
  }
}

function facts(found: string, wanted: string, set_by: string): RefusalFacts {
  return { found, wanted, set_by };
}

function typesOf({ types, typeMayBeAbsent }: TokenIssuer): readonly string[] {
  return typeMayBeAbsent ? [...types, 'absent'] : types;
}

function headerFacts(parameter: string, header: JsonObject, types: string, setBy: string): RefusalFacts {
  const found = `${parameter}: ${shownClaim(member(header, parameter))}`.slice(0, 80);
  if (parameter === 'typ') return { found, wanted: types, set_by: setBy };
  return { found, wanted: parameter === 'kid' ? 'a text, or no kid' : `no ${parameter}`, set_by: 'the issuer' };
}

function keyFacts(reason: CredentialReason, header: JsonObject, setBy: string): RefusalFacts {
  const found = `kid: ${shownClaim(member(header, 'kid'))}, alg: ${shownClaim(member(header, 'alg'))}`.slice(0, 80);
  const wanted =
    reason.reason === 'token_signature_invalid'
      ? 'a signature by a key of the issuer'
      : reason.reason === 'token_key_unfit'
        ? `a key fit for the algorithm (it fails at ${reason.check})`
        : reason.reason === 'token_key_ambiguous'
          ? 'a kid, since more than four keys fit'
          : 'the kid of a key in the key set';
  return { found, wanted, set_by: setBy };
}

function requiredFacts(path: string, claims: JsonObject, own: TokenIssuer | null, setBy: string): RefusalFacts {
  const required = own?.required.find((each) => each.path.text === path);
  return {
    found: `${path}: ${shownClaim(required?.path.read(claims))}`.slice(0, 80),
    wanted: cut(required?.test.wanted ?? 'another value'),
    set_by: setBy,
  };
}

type ListRule = (of: (one: TokenIssuer) => readonly string[]) => string;

function claimFacts(
  claim: string,
  claims: JsonObject,
  own: TokenIssuer | null,
  setBy: (rule: keyof TokenIssuer['setBy']) => string,
  listed: ListRule,
): RefusalFacts {
  switch (claim) {
    case 'iss':
      return {
        found: shownClaim(member(claims, 'iss')),
        wanted: listed(({ spellings }) => spellings),
        set_by: setBy('issuer'),
      };
    case 'aud': {
      const standIn = Object.hasOwn(claims, 'aud') ? null : (own?.audienceClaim ?? null);
      const value = standIn ? standIn.read(claims) : member(claims, 'aud');
      return {
        found: standIn ? `no aud; ${standIn.text}: ${shownClaim(value)}`.slice(0, 80) : shownClaim(value),
        wanted: listed(({ audiences }) => audiences),
        set_by: setBy('audience'),
      };
    }
    case 'sub': {
      const paths = own?.subject ?? [];
      const found = paths.map((path) => `${path.text}: ${shownClaim(path.read(claims))}`).join(', ');
      const place = own?.trustDomain == null ? '' : ` in ${own.trustDomain}`;
      return { found: cut(found), wanted: `a non-empty text${place}`, set_by: setBy('subject') };
    }
    case 'iat':
      return { found: shownClaim(member(claims, 'iat')), wanted: 'a number of seconds', set_by: setBy('max_ttl_sec') };
    case 'exp':
    case 'nbf':
      return { found: shownClaim(member(claims, claim)), wanted: 'a number of seconds', set_by: 'the issuer' };
    default:
      return { found: `${claim}: ${shownClaim(member(claims, claim))}`.slice(0, 80), set_by: 'the issuer' };
  }
}

/** The issuer that was probably meant comes first, since a long list is cut: the one that shares the longest beginning. */
function nearestFirst(spellings: readonly string[], found: unknown): readonly string[] {
  if (typeof found !== 'string') return [...new Set(spellings)];
  const shared = (spelling: string) => {
    let at = 0;
    while (at < spelling.length && spelling[at] === found[at]) at++;
    return at;
  };
  return [...new Set(spellings)].toSorted((one, other) => shared(other) - shared(one));
}

function instant(claims: JsonObject, claim: string): string {
  const value = member(claims, claim);
  return typeof value === 'number' ? atSecond(value) : shownClaim(value);
}

function atSecond(seconds: number): string {
  const ms = Math.floor(seconds) * 1000;
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().replace('.000Z', 'Z') : String(seconds);
}
