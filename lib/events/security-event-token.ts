import { signerFromSet } from '../authenticate/jwt/access-token.ts';
import type { SignaturePrimitive } from '../authenticate/jwt/algorithms.ts';
import { withSynonyms } from '../authenticate/jwt/algorithms.ts';
import { parseCompactJws } from '../authenticate/jwt/compact-jws.ts';
import type { KeySets } from '../authenticate/jwt/keys.ts';
import { isRefusal } from '../authenticate/jwt/refusal.ts';
import { checkHeader, type HeaderRules, mediaType } from '../authenticate/jwt/token-header.ts';
import type { Verify } from '../authenticate/jwt/verify.ts';
import { isJsonObject, type JsonObject, member } from '../codec/strict-json.ts';
import type { CredentialReason } from '../decision/reason.ts';

/** A transmitter whose events count, ready to verify them. */
export interface Transmitter {
  /** Spellings of `iss`; the first names it in records. */
  readonly spellings: readonly string[];
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** `typ` values that count; `absent` for none. */
  readonly types: readonly string[];
  readonly keySets: KeySets;
  /** Issuers for whose subjects and tokens it may speak. */
  readonly subjectIssuers: ReadonlySet<string>;
}

/** Errors of RFC 8935 §2.4 that are told here. */
export type EventError =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed';

/** What is wrong with a token, by a word for records. */
export interface EventRefusal {
  readonly error: EventError;
  readonly check: string;
}

export interface SecurityEventToken {
  readonly transmitter: Transmitter;
  readonly tokenId: string;
  readonly issuedAtSeconds: number;
  /** When the event happened, as the token says beside its payload (`toe`); null where it does not. */
  readonly happenedAtSeconds: number | null;
  /** Payloads by the URI of their type. */
  readonly events: ReadonlyMap<string, JsonObject>;
  readonly claims: JsonObject;
}

export type EventVerdict =
  | { readonly outcome: 'verified'; readonly token: SecurityEventToken }
  | { readonly outcome: 'refused'; readonly refusal: EventRefusal; readonly transmitter: Transmitter | null }
  | { readonly outcome: 'unavailable'; readonly retryAfterSeconds: number | null };

const LATEST_SECONDS = 253_402_300_799;
const LONGEST_ID = 1024;
const MOST_EVENTS = 16;
const OWN_TYPE = mediaType('secevent+jwt');

/**
 * Makes the verification of security event tokens (RFC 8417 §2): compact JWS, issuer, header, key, signature, then the
 * claims. The type keeps tokens of other kinds out (RFC 8417 §4.8). Where a row lets another type count, a token with `exp` is
 * refused, since ID tokens and access tokens have one and security events need none.
 * Never throws. Does not look at subjects, and does not know whether the token came before.
 */
export function createVerifyEvent(
  transmitters: readonly Transmitter[],
  settings: { readonly clockSkewSeconds: number },
  parts: { readonly signaturePrimitive?: SignaturePrimitive | undefined },
): Verify<EventVerdict> {
  const byIssuer = new Map(transmitters.flatMap((each) => each.spellings.map((spelling) => [spelling, each])));
  const rulesOf = new Map(transmitters.map((each) => [each, headerRules(each)]));

  return async (text, nowMs, context, mayFetchKeys) => {
    const jws = parseCompactJws(text);
    if (typeof jws === 'string') return refused('invalid_request', jws);
    const issuer = member(jws.claims, 'iss');
    const transmitter = typeof issuer === 'string' ? byIssuer.get(issuer) : undefined;
    const rules = transmitter && rulesOf.get(transmitter);
    if (transmitter === undefined || rules === undefined) return refused('invalid_issuer', 'iss');
    const header = checkHeader(jws.header, rules);
    if (isRefusal(header)) return refused(...headerError(header), transmitter);
    const signer = await signerFromSet(parts, transmitter.keySets, header, jws, context, mayFetchKeys);
    if ('outcome' in signer) return { outcome: 'unavailable', retryAfterSeconds: signer.retryAfterSeconds };
    if (isRefusal(signer))
      return refused(
        signer.reason === 'token_signature_invalid' ? 'authentication_failed' : 'invalid_key',
        'key',
        transmitter,
      );
    const typed = member(jws.header, 'typ');
    const isTyped = typeof typed === 'string' && mediaType(typed) === OWN_TYPE;
    const read = readClaims(jws.claims, transmitter, nowMs / 1000, { ...settings, isTyped });
    return 'error' in read ? { outcome: 'refused', refusal: read, transmitter } : { outcome: 'verified', token: read };
  };
}

function refused(error: EventError, check: string, transmitter: Transmitter | null = null): EventVerdict {
  return { outcome: 'refused', refusal: { error, check }, transmitter };
}

function headerRules({ algorithms, types }: Transmitter): HeaderRules {
  return {
    algorithms: new Set(withSynonyms(algorithms)),
    types: new Set(types.filter((type) => type !== 'absent').map(mediaType)),
    typeMayBeAbsent: types.includes('absent'),
  };
}

function headerError(reason: CredentialReason): [EventError, string] {
  if (reason.reason === 'token_algorithm_refused') return ['invalid_key', 'alg'];
  return ['invalid_request', 'parameter' in reason ? reason.parameter : 'header'];
}

/** The claims of RFC 8417 §2.2, validated at one instant. */
function readClaims(
  claims: JsonObject,
  transmitter: Transmitter,
  nowSeconds: number,
  { clockSkewSeconds: skew, isTyped }: { readonly clockSkewSeconds: number; readonly isTyped: boolean },
): SecurityEventToken | EventRefusal {
  const invalid = (check: string): EventRefusal => ({ error: 'invalid_request', check });
  const audience = [member(claims, 'aud') ?? []].flat();
  if (!audience.some((each) => typeof each === 'string' && transmitter.audiences.includes(each)))
    return { error: 'invalid_audience', check: 'aud' };
  const tokenId = member(claims, 'jti');
  if (typeof tokenId !== 'string' || tokenId === '' || tokenId.length > LONGEST_ID || !tokenId.isWellFormed())
    return invalid('jti');
  const issued = instant(member(claims, 'iat'));
  if (issued === null || issued > nowSeconds + skew) return invalid('iat');
  const expires = member(claims, 'exp');
  if (expires !== undefined && (!isTyped || typeof expires !== 'number' || expires <= nowSeconds - skew))
    return invalid('exp');
  const begins = member(claims, 'nbf');
  if (begins !== undefined && (typeof begins !== 'number' || begins > nowSeconds + skew)) return invalid('nbf');
  const happened = member(claims, 'toe');
  const happenedAt = happened === undefined ? null : instant(happened);
  if (happened !== undefined && (happenedAt === null || happenedAt > nowSeconds + skew)) return invalid('toe');
  const events = readEvents(member(claims, 'events'));
  if (events === null) return invalid('events');
  return { transmitter, tokenId, issuedAtSeconds: issued, happenedAtSeconds: happenedAt, events, claims };
}

/** The payloads by their type: at least one, each an object (RFC 8417 §2.2). */
function readEvents(value: unknown): ReadonlyMap<string, JsonObject> | null {
  if (typeof value !== 'object' || value === null || !isJsonObject(value as JsonObject)) return null;
  const entries = Object.entries(value as JsonObject);
  if (entries.length === 0 || entries.length > MOST_EVENTS) return null;
  const events = new Map<string, JsonObject>();
  for (const [uri, payload] of entries) {
    if (!isJsonObject(payload)) return null;
    events.set(uri, payload);
  }
  return events;
}

/** A NumericDate (RFC 7519 §2), or null. */
function instant(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= LATEST_SECONDS ? value : null;
}
