import { asciiBytes } from '../../codec/ascii.ts';
import type { JsonObject } from '../../codec/strict-json.ts';
import type { RequestContext } from '../../decision/ports.ts';
import type { Authentication } from '../../decision/principal.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import { after, type Eventually } from '../../decision/steps.ts';
import {
  keyMisfit,
  type SignaturePrimitive,
  signatureAlgorithms,
  verifySignature,
  withSynonyms,
} from './algorithms.ts';
import { type CompactJws, createJwsReader } from './compact-jws.ts';
import type { KeyAnswer, KeyQuery, KeySets, VerificationKey } from './keys.ts';
import { isRefusal } from './refusal.ts';
import { refusalFacts } from './refusal-facts.ts';
import { createFindSecret, type SharedSecret } from './shared-secrets.ts';
import { checkClaims, type TokenFacts } from './token-claims.ts';
import { checkHeader, type HeaderRules, mediaType, type TokenHeader } from './token-header.ts';
import { createFindIssuer, isIssuer, type TokenIssuer } from './token-issuer.ts';
import type { Verify } from './verify.ts';

declare const verified: unique symbol;

/** Claims of a token whose signature was verified and whose registered claims hold. Read with `Object.hasOwn`. */
export type VerifiedClaims = Readonly<Record<string, unknown>> & { readonly [verified]: true };

export interface AccessTokenSettings {
  /** Whose tokens count. One that accepts any issuer stands alone. */
  readonly issuers: readonly TokenIssuer[];
}

export interface AccessTokenParts {
  /** Verify the tokens of an issuer that has no key set; never those of another. */
  readonly secrets: readonly SharedSecret[];
  /** What verifies signatures of keys from a set; Web Cryptography where it is left out. */
  readonly signaturePrimitive?: SignaturePrimitive | undefined;
}

export interface VerifiedToken {
  readonly claims: VerifiedClaims;
  readonly facts: TokenFacts;
  readonly issuer: TokenIssuer;
  readonly key: VerificationKey;
  /** What the key set was asked, to be asked again while the token is remembered; null for a shared secret. */
  readonly query: KeyQuery | null;
  /** The key came from a set past its lifetime. */
  readonly stale: boolean;
}

export type TokenVerdict =
  | { readonly outcome: 'verified'; readonly token: VerifiedToken }
  | Exclude<Authentication, { outcome: 'authenticated' }>;

/**
 * Makes the verification of JWT access tokens, in this order: shape, header, issuer, key, key fit, signature, claims,
 * subject (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3, RFC 9068 §4). The first thing wrong is the reason. Algorithms, types,
 * keys and claims are those of the token's own issuer. Throws when an algorithm is listed that does not exist, `none` above
 * all, or when there is nothing to verify with: no configuration that was checked says so.
 * Does not bound the token's length (`findToken` does), compare a demanded certificate, ask for revocation, or read scopes.
 */
export function createVerifyToken({ issuers }: AccessTokenSettings, parts: AccessTokenParts): Verify<TokenVerdict> {
  for (const { algorithms, keySets } of issuers) {
    const unknown = algorithms.find((algorithm) => !signatureAlgorithms.has(algorithm));
    if (unknown !== undefined) throw new Error(`no such signature algorithm: ${unknown}`);
    if (keySets === null && parts.secrets.length === 0) throw new Error('neither a key set nor a secret is given');
  }
  const rules = new Map(issuers.map((issuer) => [issuer, headerRulesOf(issuer)]));
  const anyRules = joined([...rules.values()]);
  const findIssuer = createFindIssuer(issuers);
  const findSecret = createFindSecret(issuers.some(({ keySets }) => keySets === null) ? parts.secrets : []);

  const read = createJwsReader();
  // Tokens under one key have one header, which the reader remembers.
  const checked = new WeakMap<JsonObject, ReturnType<typeof checkHeader>>();
  const checkOnce = (header: JsonObject) => {
    const known = checked.get(header);
    if (known !== undefined) return known;
    const found = checkHeader(header, anyRules);
    checked.set(header, found);
    return found;
  };

  return (token, nowMs, context, mayFetchKeys) => {
    const { explain } = context;
    const jws = read(token);
    const refused = (step: string, reason: CredentialReason, issuer: TokenIssuer | null = null): TokenVerdict => {
      explain?.(step, 'refused', { ...reason, ...refusalFacts(reason, jws, issuer, issuers, nowMs) });
      return { outcome: 'refused', reason };
    };
    if (typeof jws === 'string') return refused('shape', { reason: 'token_malformed', part: jws });
    explain?.('shape', 'a compact JWS');

    const header = checkOnce(jws.header);
    if (isRefusal(header)) return refused('header', header);
    const issuer = findIssuer(jws.claims);
    if (!isIssuer(issuer)) return refused('issuer', issuer);
    const own = issuers.length === 1 ? header : checkHeader(jws.header, rules.get(issuer) ?? anyRules);
    if (isRefusal(own)) return refused('header', own, issuer);
    explain?.('header', 'accepted', { algorithm: header.algorithm, key_id: header.keyId });
    explain?.('issuer', issuer.spellings.length === 0 ? 'any is accepted' : 'a configured one', {
      issuer: issuer.spellings[0] ?? null,
    });

    const judge = (signer: Signer | CredentialReason | Outage): TokenVerdict => {
      if ('outcome' in signer) {
        const { retryAfterSeconds } = signer;
        explain?.('key', 'none can be had', { retry_after_seconds: retryAfterSeconds, set_by: issuer.setBy.keys });
        return signer;
      }
      if (isRefusal(signer))
        return refused(signer.reason === 'token_signature_invalid' ? 'signature' : 'key', signer, issuer);
      explain?.('signature', 'valid', { key_id: signer.key.keyId, stale: signer.stale });

      const facts = checkClaims(jws.claims, issuer, nowMs / 1000);
      if (isRefusal(facts)) return refused(isAboutSubject(facts) ? 'subject' : 'claims', facts, issuer);
      explain?.('claims', 'valid', { expires_in_seconds: Math.ceil(facts.expiresAtSeconds - nowMs / 1000) });
      explain?.('subject', 'named', { subject: facts.subject });
      return { outcome: 'verified', token: { claims: verifiedClaims(jws.claims), facts, issuer, ...signer } };
    };
    const signer = issuer.keySets
      ? signerFromSet(parts, issuer.keySets, header, jws, context, mayFetchKeys)
      : signerFromSecrets(findSecret, jws);
    return after(signer, judge);
  };
}

function headerRulesOf({ algorithms, types, typeMayBeAbsent, keySets }: TokenIssuer): HeaderRules {
  return {
    algorithms: new Set(withSynonyms(algorithms).filter((name) => (name === 'HS256') === (keySets === null))),
    types: new Set(types.map(mediaType)),
    typeMayBeAbsent,
  };
}

/** What at least one issuer accepts: nothing else is worth looking at the claims for. */
function joined(all: readonly HeaderRules[]): HeaderRules {
  return {
    algorithms: new Set(all.flatMap(({ algorithms }) => [...algorithms])),
    types: new Set(all.flatMap(({ types }) => [...types])),
    typeMayBeAbsent: all.some(({ typeMayBeAbsent }) => typeMayBeAbsent),
  };
}

function verifiedClaims(claims: JsonObject): VerifiedClaims {
  return claims as unknown as VerifiedClaims;
}

type Signer = Pick<VerifiedToken, 'key' | 'query' | 'stale'>;
type Outage = Extract<Authentication, { outcome: 'unavailable' }>;
type FoundKeys = Extract<KeyAnswer, { found: 'keys' }>;

const signatureInvalid: CredentialReason = { reason: 'token_signature_invalid' };
const signatureAmbiguous: CredentialReason = { reason: 'token_key_ambiguous' };

/**
 * The key of the issuer's set that made the signature. Where none of the keys did, the set is fetched once more within the
 * bounds for unknown keys: an issuer that was made anew may use an old `kid` for a new key.
 */
export function signerFromSet(
  { signaturePrimitive }: Pick<AccessTokenParts, 'signaturePrimitive'>,
  keySets: KeySets,
  { algorithm, keyId }: TokenHeader,
  jws: CompactJws,
  context: RequestContext,
  mayFetchKeys: boolean,
): Eventually<Signer | CredentialReason | Outage> {
  const query: KeyQuery = { keyId, algorithm };
  const known = signatureAlgorithms.get(algorithm);
  if (!known) return { reason: 'token_key_unfit', check: 'alg' };
  const signed = asciiBytes(jws.signed);
  const tried: VerificationKey[] = [];

  const tryFrom = (answer: FoundKeys, from: number): Eventually<Signer | CredentialReason> => {
    const { keys, stale, more } = answer;
    for (let at = from; at < keys.length; at++) {
      const key = keys[at];
      if (key === undefined || tried.includes(key)) continue;
      tried.push(key);
      const check = keyMisfit(key.key, known);
      if (check) return { reason: 'token_key_unfit', check };
      context.explain?.('key', 'found', { key_id: key.keyId, stale });
      const valid = verifySignature(key.key, known, jws.signature, signed, signaturePrimitive);
      if (valid instanceof Promise)
        return valid.then((holds) => (holds ? { key, query, stale } : tryFrom(answer, at + 1)));
      if (valid) return { key, query, stale };
    }
    return more ? signatureAmbiguous : signatureInvalid;
  };
  const tryKeys = (answer: KeyAnswer): Eventually<Signer | CredentialReason | Outage> => {
    if (answer.found === 'unavailable')
      return { outcome: 'unavailable', reason: 'keys_unavailable', retryAfterSeconds: answer.retryAfterSeconds };
    return answer.found === 'none' ? answer.reason : tryFrom(answer, 0);
  };
  const orAgain = (first: Signer | CredentialReason | Outage) => {
    if (first !== signatureInvalid && first !== signatureAmbiguous) return first;
    return after(keySets.findAgain(query, tried, context, mayFetchKeys), (again) =>
      again.found === 'keys' && again.keys.some((key) => !tried.includes(key)) ? tryKeys(again) : first,
    );
  };
  return after(after(keySets.find(query, context, mayFetchKeys), tryKeys), orAgain);
}

async function signerFromSecrets(
  findSecret: ReturnType<typeof createFindSecret>,
  jws: CompactJws,
): Promise<Signer | CredentialReason> {
  const key = await findSecret(jws.signature, asciiBytes(jws.signed));
  return key ? { key, query: null, stale: false } : signatureInvalid;
}

function isAboutSubject(reason: CredentialReason): boolean {
  return 'claim' in reason && reason.claim === 'sub';
}
