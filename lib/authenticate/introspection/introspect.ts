import { encodeBase64url } from '../../codec/base64url.ts';
import { sha256, utf8 } from '../../codec/digest.ts';
import { createRecentMap } from '../../codec/recent-map.ts';
import { isJsonObject, type JsonObject, member } from '../../codec/strict-json.ts';
import type { Clock, Fetch, RequestContext } from '../../decision/ports.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import { type SignaturePrimitive, signatureAlgorithms, verifySignature } from '../jwt/algorithms.ts';
import { parseCompactJws } from '../jwt/compact-jws.ts';
import { isRefusal } from '../jwt/refusal.ts';
import { checkClaims, type TokenFacts } from '../jwt/token-claims.ts';
import { mediaType } from '../jwt/token-header.ts';
import type { TokenIssuer } from '../jwt/token-issuer.ts';
import { askIssuer, type IntrospectionClient } from './ask.ts';

export interface IntrospectionSettings extends IntrospectionClient {
  readonly issuer: TokenIssuer;
  /** How long an answer counts, active or not: what is revoked meanwhile passes. */
  readonly cacheSeconds: number;
  /** Random text of this process: tokens are remembered under a keyed hash only. */
  readonly cacheKey: string;
  /** Questions under way for one address at most; 0: no limit. */
  readonly maximumQuestionsOfAddress: number;
}

export interface IntrospectionParts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** How long answers have been remembered, by a clock that nobody sets. Absent: the clock. */
  readonly steady?: Clock;
  /** Whether one request may await a promise that another made; never on Workers. */
  readonly sharePromises: boolean;
  readonly signaturePrimitive?: SignaturePrimitive | undefined;
}

/** What became of one opaque token. `untilMs`: the end of the token itself, by the wall clock. */
export type Introspected =
  | { readonly outcome: 'active'; readonly claims: JsonObject; readonly facts: TokenFacts; readonly untilMs: number }
  | { readonly outcome: 'refused'; readonly reason: CredentialReason; readonly untilMs: number }
  | { readonly outcome: 'unavailable'; readonly retryAfterSeconds: number };

/** Tells what an opaque token is worth. With `mayAsk` false only what is remembered counts. */
export type Introspect = (
  token: string,
  asked: { readonly mayAsk: boolean; readonly address: string | null; readonly context: RequestContext },
) => Promise<Introspected>;

const MAXIMUM_REMEMBERED = 10_000;
const QUESTIONS_PER_SECOND = 50;
const inactive: CredentialReason = { reason: 'token_inactive' };
const outage: Introspected = { outcome: 'unavailable', retryAfterSeconds: 5 };
const busy: Introspected = { outcome: 'unavailable', retryAfterSeconds: 1 };

/**
 * Makes the introspection of opaque tokens at one issuer (RFC 7662): remembered answers first, then one question, within what
 * an address and all addresses together may ask. The rules for claims are those of signed tokens. An answer that is none
 * is our outage. Never rejects.
 */
export function createIntrospect(settings: IntrospectionSettings, parts: IntrospectionParts): Introspect {
  const { clock, steady = clock } = parts;
  const remembered = createRecentMap<{ readonly judged: Judged; readonly keptUntilMs: number }>({
    maximumEntries: MAXIMUM_REMEMBERED,
  });
  const underWay = new Map<string, Promise<Introspected>>();
  const askedBy = new Map<string, number>();
  let second = 0;
  let questions = 0;

  const mayAskNow = (nowMs: number): boolean => {
    const now = Math.floor(nowMs / 1000);
    if (now !== second) [second, questions] = [now, 0];
    questions += 1;
    return questions <= QUESTIONS_PER_SECOND;
  };

  const ask = async (token: string, name: string, context: RequestContext): Promise<Introspected> => {
    const answer = await askIssuer(settings, token, parts.fetch);
    const members =
      answer?.form === 'jwt' ? await signedMembers(answer.text, settings, parts, context) : answer?.members;
    if (members === undefined || members === null) return outage;
    const judged = judge(members, settings, clock());
    remembered.set(name, { judged, keptUntilMs: steady() + settings.cacheSeconds * 1000 });
    return judged;
  };

  return async (token, { mayAsk, address, context }) => {
    const name = encodeBase64url(await sha256(utf8(`${settings.cacheKey}\n${token}`)));
    const known = remembered.get(name);
    const nowMs = steady();
    if (known !== undefined && nowMs < known.keptUntilMs && clock() < known.judged.untilMs) return known.judged;
    if (!mayAsk) return { outcome: 'refused', reason: inactive, untilMs: 0 };
    const shared = underWay.get(name);
    if (shared !== undefined) return shared;
    const limit = settings.maximumQuestionsOfAddress;
    const already = address === null ? 0 : (askedBy.get(address) ?? 0);
    if ((limit > 0 && already >= limit) || !mayAskNow(nowMs)) return busy;
    if (address !== null) askedBy.set(address, already + 1);
    const question = ask(token, name, context);
    if (parts.sharePromises) underWay.set(name, question);
    try {
      return await question;
    } finally {
      underWay.delete(name);
      const left = address === null ? 0 : (askedBy.get(address) ?? 1) - 1;
      if (address !== null) left > 0 ? askedBy.set(address, left) : askedBy.delete(address);
    }
  };
}

type Judged = Exclude<Introspected, { outcome: 'unavailable' }>;

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

/** The members of a signed answer (RFC 9701 §5): typed, signed by the issuer, made for this client. Null for any other. */
async function signedMembers(
  text: string,
  { issuer, clientId }: IntrospectionSettings,
  { signaturePrimitive }: IntrospectionParts,
  context: RequestContext,
): Promise<JsonObject | null> {
  const jws = parseCompactJws(text);
  if (typeof jws === 'string' || issuer.keySets === null) return null;
  const type = member(jws.header, 'typ');
  const name = member(jws.header, 'alg');
  if (typeof type !== 'string' || mediaType(type) !== 'application/token-introspection+jwt') return null;
  if (typeof name !== 'string' || !issuer.algorithms.includes(name) || Object.hasOwn(jws.header, 'crit')) return null;
  const from = member(jws.claims, 'iss');
  const audience = [member(jws.claims, 'aud') ?? []].flat();
  if (typeof from !== 'string' || !issuer.spellings.includes(from) || !audience.includes(clientId)) return null;
  const keyId = member(jws.header, 'kid');
  const query = { keyId: typeof keyId === 'string' ? keyId : null, algorithm: name };
  const answer = await issuer.keySets.find(query, context, true);
  const algorithm = signatureAlgorithms.get(name);
  if (answer.found !== 'keys' || algorithm === undefined) return null;
  const signed = utf8(jws.signed);
  for (const { key } of answer.keys)
    if (await verifySignature(key, algorithm, jws.signature, signed, signaturePrimitive)) {
      const members = member(jws.claims, 'token_introspection');
      return isJsonObject(members) ? members : null;
    }
  return null;
}
