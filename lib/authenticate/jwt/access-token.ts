import type { RequestContext } from '../../decision/ports.ts';
import type { Authentication } from '../../decision/principal.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import { keyMisfit, type SignaturePrimitive, signatureAlgorithms, verifySignature } from './algorithms.ts';
import { type CompactJws, parseCompactJws } from './compact-jws.ts';
import type { KeyQuery, KeySets, VerificationKey } from './keys.ts';
import { isRefusal } from './refusal.ts';
import { createFindSecret, type SharedSecret } from './shared-secrets.ts';
import { type ClaimRules, checkClaims, checkIssuer, type TokenFacts } from './token-claims.ts';
import { checkHeader, mediaType, type TokenHeader } from './token-header.ts';

declare const verified: unique symbol;

/** Claims of a token whose signature was verified and whose registered claims hold. Read with `Object.hasOwn`. */
export type VerifiedClaims = Readonly<Record<string, unknown>> & { readonly [verified]: true };

export interface AccessTokenSettings extends ClaimRules {
  /** `alg` values accepted; HS256 counts only where secrets are given and no key set is. */
  readonly algorithms: readonly string[];
  /** `typ` values accepted, with or without `application/`. */
  readonly types: readonly string[];
  readonly typeMayBeAbsent: boolean;
}

/** Where keys come from. With a key set, the secrets are never used. */
export interface AccessTokenParts {
  readonly keySets: KeySets | null;
  readonly secrets: readonly SharedSecret[];
  /** What verifies signatures of keys from a set; Web Cryptography where it is left out. */
  readonly signaturePrimitive?: SignaturePrimitive | undefined;
}

export interface VerifiedToken {
  readonly claims: VerifiedClaims;
  readonly facts: TokenFacts;
  readonly key: VerificationKey;
  /** What the key set was asked, to be asked again while the token is remembered; null for a shared secret. */
  readonly query: KeyQuery | null;
  /** The key came from a set past its lifetime. */
  readonly stale: boolean;
}

export type TokenVerdict =
  | { readonly outcome: 'verified'; readonly token: VerifiedToken }
  | Exclude<Authentication, { outcome: 'authenticated' }>;

/** Verifies one access token at one instant, in epoch milliseconds. */
export type VerifyToken = (
  token: string,
  nowMs: number,
  context: RequestContext,
  mayFetchKeys: boolean,
) => Promise<TokenVerdict>;

const ascii = new TextEncoder();

/**
 * Makes the verification of JWT access tokens, in the contract's order: shape, header, issuer, key, key fit, signature,
 * claims, subject (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725 §3, RFC 9068 §4). The first thing wrong is the reason. Throws
 * when an algorithm is listed that does not exist, `none` above all, or when there is nothing to verify with: no
 * configuration that was checked says so.
 * Does not bound the token's length (`findToken` does), compare a demanded certificate, ask for revocation, or read scopes.
 */
export function createVerifyToken(settings: AccessTokenSettings, parts: AccessTokenParts): VerifyToken {
  const { keySets } = parts;
  const unknown = settings.algorithms.find((algorithm) => !signatureAlgorithms.has(algorithm));
  if (unknown !== undefined) throw new Error(`no such signature algorithm: ${unknown}`);
  if (keySets === null && parts.secrets.length === 0) throw new Error('neither a key set nor a secret is given');
  const headerRules = {
    algorithms: new Set(settings.algorithms.filter((algorithm) => (algorithm === 'HS256') === (keySets === null))),
    types: new Set(settings.types.map(mediaType)),
    typeMayBeAbsent: settings.typeMayBeAbsent,
  };
  const findSecret = createFindSecret(keySets === null ? parts.secrets : []);

  return async (token, nowMs, context, mayFetchKeys) => {
    const { explain } = context;
    const refused = (step: string, reason: CredentialReason): TokenVerdict => {
      explain?.(step, 'refused', reason);
      return { outcome: 'refused', reason };
    };

    const jws = parseCompactJws(token);
    if (typeof jws === 'string') return refused('shape', { reason: 'token_malformed', part: jws });
    explain?.('shape', 'a compact JWS');

    const header = checkHeader(jws.header, headerRules);
    if (isRefusal(header)) return refused('header', header);
    explain?.('header', 'accepted', { algorithm: header.algorithm, key_id: header.keyId });

    const stranger = checkIssuer(jws.claims, settings.issuer);
    if (stranger) return refused('issuer', stranger);
    explain?.('issuer', settings.issuer === null ? 'any is accepted' : 'the configured one', {
      issuer: settings.issuer,
    });

    const signer = keySets
      ? await signerFromSet(parts, keySets, settings.issuer, header, jws, context, mayFetchKeys)
      : await signerFromSecrets(findSecret, jws);
    if ('outcome' in signer) {
      explain?.('key', 'none can be had', { retry_after_seconds: signer.retryAfterSeconds });
      return signer;
    }
    if (isRefusal(signer)) return refused(signer.reason === 'token_signature_invalid' ? 'signature' : 'key', signer);
    explain?.('signature', 'valid', { key_id: signer.key.keyId, stale: signer.stale });

    const facts = checkClaims(jws.claims, settings, nowMs / 1000);
    if (isRefusal(facts)) return refused(isAboutSubject(facts) ? 'subject' : 'claims', facts);
    explain?.('claims', 'valid', { expires_in_seconds: Math.ceil(facts.expiresAtSeconds - nowMs / 1000) });
    explain?.('subject', 'named', { subject: facts.subject });

    return { outcome: 'verified', token: { claims: jws.claims as unknown as VerifiedClaims, facts, ...signer } };
  };
}

type Signer = Pick<VerifiedToken, 'key' | 'query' | 'stale'>;
type Outage = Extract<Authentication, { outcome: 'unavailable' }>;

const signatureInvalid: CredentialReason = { reason: 'token_signature_invalid' };

/** The key of a set that a token names by issuer and `kid`, once the signature has held under it. */
async function signerFromSet(
  { signaturePrimitive }: AccessTokenParts,
  keySets: KeySets,
  issuer: string | null,
  { algorithm, keyId }: TokenHeader,
  jws: CompactJws,
  context: RequestContext,
  mayFetchKeys: boolean,
): Promise<Signer | CredentialReason | Outage> {
  const query: KeyQuery = { issuer, keyId, algorithm };
  const answer = await keySets.find(query, context, mayFetchKeys);
  if (answer.found === 'unavailable')
    return { outcome: 'unavailable', reason: 'keys_unavailable', retryAfterSeconds: answer.retryAfterSeconds };
  if (answer.found === 'none') return answer.reason;
  const { key, stale } = answer;
  const known = signatureAlgorithms.get(algorithm);
  if (!known) return { reason: 'token_key_unfit', check: 'alg' };
  const check = keyMisfit(key.key, known);
  if (check) return { reason: 'token_key_unfit', check };
  context.explain?.('key', 'found', { key_id: key.keyId, stale });
  return (await verifySignature(key.key, known, jws.signature, ascii.encode(jws.signed), signaturePrimitive))
    ? { key, query, stale }
    : signatureInvalid;
}

async function signerFromSecrets(
  findSecret: ReturnType<typeof createFindSecret>,
  jws: CompactJws,
): Promise<Signer | CredentialReason> {
  const key = await findSecret(jws.signature, ascii.encode(jws.signed));
  return key ? { key, query: null, stale: false } : signatureInvalid;
}

function isAboutSubject(reason: CredentialReason): boolean {
  return 'claim' in reason && reason.claim === 'sub';
}
