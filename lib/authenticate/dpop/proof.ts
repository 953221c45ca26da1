import { encodeBase64url } from '../../codec/base64url.ts';
import { sha256, utf8 } from '../../codec/digest.ts';
import { type JsonObject, member } from '../../codec/strict-json.ts';
import type { ProofUse } from '../../decision/principal.ts';
import type { CredentialReason, ProofCheck } from '../../decision/reason.ts';
import { type SignaturePrimitive, verifySignature } from '../jwt/algorithms.ts';
import { parseCompactJws } from '../jwt/compact-jws.ts';
import type { Nonces } from './nonce.ts';
import { type ProofKey, readProofKey } from './proof-key.ts';
import { type CanonicalPath, matchesTarget, type TargetUri } from './target-uri.ts';

export interface ProofSettings {
  /** Age that a proof may have, in seconds, the clock skew not included (`TGEFD_DPOP_MAX_AGE_SEC`). */
  readonly maximumAgeSeconds: number;
  readonly clockSkewSeconds: number;
}

export interface ProofParts {
  readonly canonicalPath: CanonicalPath;
  /** Demands a nonce of ours in every proof; null: none is demanded. */
  readonly nonces: Nonces | null;
  readonly signaturePrimitive?: SignaturePrimitive | undefined;
}

/** What a proof must fit: this request, and the token that it comes with. */
export interface ProofDemand {
  readonly method: string;
  readonly target: TargetUri;
  /** `ath` of the token: its SHA-256 in base64url (RFC 9449 §4.2). */
  readonly tokenHash: string;
  /** `cnf.jkt` of the token. */
  readonly thumbprint: string;
  readonly nowMs: number;
}

/** Checks the `DPoP` field of one request. Gives what must be remembered so that the proof counts once. */
export type CheckProof = (field: string | null, demand: ProofDemand) => Promise<ProofUse | CredentialReason>;

/** Longest proof that is looked at: an RSA key of 8192 bits and its signature fit. */
const LONGEST_PROOF = 8192;
const LONGEST_ID = 1024;
const LATEST_SECONDS = 253_402_300_799;
/** Headers whose key is remembered; each belonged to a token that was verified. */
const MAXIMUM_KEYS = 2000;
/** Clocks of the store and of other isolates may run apart. */
const STORE_MARGIN_MS = 5000;

/**
 * Makes the check of proofs in the order of RFC 9449 §4.3. What costs nothing is asked first and the signature last, since
 * one answer is given for all of it. A client sends the same header with every proof: its key is read once.
 * Does not know whether the proof was used before: the admission asks for that.
 */
export function createCheckProof(settings: ProofSettings, parts: ProofParts): CheckProof {
  const { nonces, canonicalPath, signaturePrimitive } = parts;
  const toleranceSeconds = settings.maximumAgeSeconds + settings.clockSkewSeconds;
  let keys = new Map<string, ProofKey>();
  let olderKeys = new Map<string, ProofKey>();

  const keep = (header: string, key: ProofKey) => {
    if (keys.size >= MAXIMUM_KEYS / 2) [olderKeys, keys] = [keys, new Map()];
    keys.set(header, key);
  };

  const invalid = async (check: ProofCheck, nowMs: number): Promise<CredentialReason> => ({
    reason: 'proof_invalid',
    check,
    nonce: nonces ? await nonces.make(nowMs) : null,
  });

  return async (field, demand) => {
    const { nowMs } = demand;
    if (field === null || field === '') return invalid('missing', nowMs);
    // A repeated field arrives joined by commas, and no proof has one in it.
    if (field.includes(',')) return invalid('duplicated', nowMs);
    if (field.length > LONGEST_PROOF) return invalid('shape', nowMs);
    const jws = parseCompactJws(field);
    if (typeof jws === 'string') return invalid('shape', nowMs);

    const headerText = field.slice(0, field.indexOf('.'));
    const known = keys.get(headerText) ?? olderKeys.get(headerText);
    const key = known ?? (await readProofKey(jws.header));
    if (typeof key === 'string') return invalid(key, nowMs);
    if (key.thumbprint !== demand.thumbprint) return { reason: 'proof_key_mismatch' };

    const check = checkClaims(jws.claims, demand, settings, canonicalPath);
    if (check !== null) return invalid(check, nowMs);
    if (nonces !== null) {
      const nonce = member(jws.claims, 'nonce');
      if (typeof nonce !== 'string' || !(await nonces.accepts(nonce, nowMs)))
        return { reason: 'proof_nonce_needed', nonce: await nonces.make(nowMs) };
    }
    if (!(await verifySignature(key.key, key.algorithm, jws.signature, utf8(jws.signed), signaturePrimitive)))
      return invalid('signature', nowMs);
    if (known === undefined || !keys.has(headerText)) keep(headerText, key);
    return {
      key: await replayKey(key.thumbprint, member(jws.claims, 'jti') as string),
      lifetimeMs: ((member(jws.claims, 'iat') as number) + toleranceSeconds) * 1000 - nowMs + STORE_MARGIN_MS,
    };
  };
}

/** RFC 9449 §4.3 steps 8 to 11, save the nonce; the check that fails, or null. */
function checkClaims(
  claims: JsonObject,
  demand: ProofDemand,
  { maximumAgeSeconds, clockSkewSeconds }: ProofSettings,
  canonicalPath: CanonicalPath,
): ProofCheck | null {
  const nowSeconds = demand.nowMs / 1000;
  const id = member(claims, 'jti');
  if (typeof id !== 'string' || id === '' || id.length > LONGEST_ID || !id.isWellFormed()) return 'jti';
  if (member(claims, 'htm') !== demand.method) return 'htm';
  const uri = member(claims, 'htu');
  if (typeof uri !== 'string' || !matchesTarget(uri, demand.target, canonicalPath)) return 'htu';
  if (member(claims, 'ath') !== demand.tokenHash) return 'ath';
  const issued = member(claims, 'iat');
  if (typeof issued !== 'number' || issued < 0 || issued > LATEST_SECONDS) return 'iat';
  if (issued > nowSeconds + clockSkewSeconds) return 'iat';
  if (issued < nowSeconds - maximumAgeSeconds - clockSkewSeconds) return 'iat';
  // A proof needs no limits of its own, but those that it has are kept (RFC 7519 §4.1.4, §4.1.5).
  const expires = member(claims, 'exp');
  if (expires !== undefined && !(typeof expires === 'number' && expires > nowSeconds - clockSkewSeconds)) return 'exp';
  const begins = member(claims, 'nbf');
  if (begins !== undefined && !(typeof begins === 'number' && begins <= nowSeconds + clockSkewSeconds)) return 'nbf';
  return null;
}

/**
 * Under which name a proof is remembered: a hash, so that neither key nor id reach a store. The key is part of it, so that
 * nobody can use up the ids of others.
 */
async function replayKey(thumbprint: string, id: string): Promise<string> {
  return encodeBase64url(await sha256(utf8(`${thumbprint}\n${id}`)));
}

/** `ath` of a token (RFC 9449 §4.2). */
export async function tokenHashOf(token: string): Promise<string> {
  return encodeBase64url(await sha256(utf8(token)));
}
