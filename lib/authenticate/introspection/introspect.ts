import { encodeBase64url } from '../../codec/base64url.ts';
import { hmacSha256, type InstantHmac } from '../../codec/digest.ts';
import { createRecentMap } from '../../codec/recent-map.ts';
import { type JsonObject, member } from '../../codec/strict-json.ts';
import type { Clock, Fetch, RequestContext } from '../../decision/ports.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import type { SignaturePrimitive } from '../jwt/algorithms.ts';
import { isRefusal } from '../jwt/refusal.ts';
import { checkClaims, type TokenFacts } from '../jwt/token-claims.ts';
import type { TokenIssuer } from '../jwt/token-issuer.ts';
import { askIssuer, type IntrospectionClient } from './ask.ts';
import { createQuestionBounds } from './question-bounds.ts';
import { signedMembers } from './signed-answer.ts';

export interface IntrospectionSettings extends IntrospectionClient {
  readonly issuer: TokenIssuer;
  /** How long an answer counts, active or not: what is revoked meanwhile passes. */
  readonly cacheSeconds: number;
  /** Random text of this process: tokens are remembered under an HMAC only. */
  readonly cacheKey: string;
  /** Questions about unknown tokens of one address in a minute at most; 0: no limit. */
  readonly questionsOfAddressPerMinute: number;
}

export interface IntrospectionParts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** How long answers have been remembered, by a clock that nobody sets. Absent: the clock. */
  readonly steady?: Clock;
  /** Whether one request may await a promise that another made; never on Workers. */
  readonly sharePromises: boolean;
  readonly signaturePrimitive?: SignaturePrimitive | undefined;
  /** Where the runtime has one that answers at once: a remembered token then costs no promise. */
  readonly hmac?: InstantHmac | undefined;
}

/** What became of one opaque token. `untilMs`: the end of the token itself, by the wall clock. */
export type Introspected =
  | { readonly outcome: 'active'; readonly claims: JsonObject; readonly facts: TokenFacts; readonly untilMs: number }
  | { readonly outcome: 'refused'; readonly reason: CredentialReason; readonly untilMs: number }
  | { readonly outcome: 'unavailable'; readonly retryAfterSeconds: number }
  /** The address has asked about too many unknown tokens. */
  | { readonly outcome: 'throttled'; readonly retryAfterSeconds: number };

/** Who asks. */
interface Asked {
  readonly mayAsk: boolean;
  readonly address: string | null;
  readonly context: RequestContext;
}

/** Tells what an opaque token is worth. With `mayAsk` false nothing is asked about a token that was not active before. */
export type Introspect = (token: string, asked: Asked) => Introspected | Promise<Introspected>;

const MAXIMUM_REMEMBERED = 10_000;
const inactive: CredentialReason = { reason: 'token_inactive' };
const outage: Introspected = { outcome: 'unavailable', retryAfterSeconds: 5 };
const busy: Introspected = { outcome: 'unavailable', retryAfterSeconds: 1 };

/**
 * Makes the introspection of opaque tokens at one issuer (RFC 7662): remembered answers first, then one question, within what
 * an address and all addresses together may ask. A token that was active when it was last asked about is no unknown one:
 * many callers may share an address. The rules for claims are those of signed tokens. An answer that is none is our outage.
 * Never rejects.
 */
export function createIntrospect(settings: IntrospectionSettings, parts: IntrospectionParts): Introspect {
  const { clock, steady = clock, hmac } = parts;
  const remembered = createRecentMap<{ readonly judged: Judged; readonly keptUntilMs: number }>({
    maximumEntries: MAXIMUM_REMEMBERED,
  });
  const underWay = new Map<string, Promise<Introspected>>();
  const bounds = createQuestionBounds(settings.questionsOfAddressPerMinute);

  const ask = async (token: string, name: string, context: RequestContext): Promise<Introspected> => {
    const answer = await askIssuer(settings, token, parts.fetch);
    const members =
      answer?.form === 'jwt' ? await signedMembers(answer.text, settings, parts, context) : answer?.members;
    if (members === undefined || members === null) return outage;
    const judged = judge(members, settings, clock());
    remembered.set(name, { judged, keptUntilMs: steady() + settings.cacheSeconds * 1000 });
    return judged;
  };

  const askOnce = async (token: string, name: string, context: RequestContext): Promise<Introspected> => {
    const question = ask(token, name, context);
    if (!parts.sharePromises) return question;
    underWay.set(name, question);
    return question.finally(() => underWay.delete(name));
  };

  const judgeBy = (name: string, token: string, asked: Asked): Introspected | Promise<Introspected> => {
    const known = remembered.get(name);
    const nowMs = steady();
    if (known !== undefined && nowMs < known.keptUntilMs && clock() < known.judged.untilMs) return known.judged;
    const isUnknown = known?.judged.outcome !== 'active';
    if (isUnknown && !asked.mayAsk) return { outcome: 'refused', reason: inactive, untilMs: 0 };
    const shared = underWay.get(name);
    if (shared !== undefined) return shared;
    const throttledSeconds = isUnknown && asked.address !== null ? bounds.ofAddress(asked.address, nowMs) : null;
    if (throttledSeconds !== null) return { outcome: 'throttled', retryAfterSeconds: throttledSeconds };
    return bounds.ofAll(nowMs) ? askOnce(token, name, asked.context) : busy;
  };

  return (token, asked) => {
    if (hmac) return judgeBy(encodeBase64url(hmac(settings.cacheKey, token)), token, asked);
    return hmacSha256(settings.cacheKey, token).then((mac) => judgeBy(encodeBase64url(mac), token, asked));
  };
}

type Judged = Extract<Introspected, { outcome: 'active' | 'refused' }>;

/** What an answer is worth: `active` must be the boolean, and the claims must hold as those of a signed token. */
function judge(members: JsonObject, { issuer, cacheSeconds }: IntrospectionSettings, nowMs: number): Judged {
  const refused = (reason: CredentialReason): Judged => ({
    outcome: 'refused',
    reason,
    untilMs: Number.POSITIVE_INFINITY,
  });
  if (member(members, 'active') !== true) return refused(inactive);
  const named = member(members, 'iss');
  if (named !== undefined && (typeof named !== 'string' || !issuer.spellings.includes(named)))
    return refused({ reason: 'token_issuer_unknown' });
  const expires = member(members, 'exp');
  const nowSeconds = nowMs / 1000;
  const claims: JsonObject =
    expires === undefined ? { ...members, exp: Math.ceil(nowSeconds + cacheSeconds) } : members;
  // Without an end of its own a token has no lifetime that could be too long.
  const rules = expires === undefined ? { ...issuer, maximumLifetimeSeconds: null } : issuer;
  const facts = checkClaims(claims, rules, nowSeconds);
  if (isRefusal(facts)) return refused(facts);
  const endMs = (facts.expiresAtSeconds + issuer.clockSkewSeconds) * 1000;
  return { outcome: 'active', claims, facts, untilMs: endMs };
}
