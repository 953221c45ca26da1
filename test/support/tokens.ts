/** Tokens for tests: signed by hand, so that nothing a header or a claims set could say is out of reach. */
import {
  type AccessTokenParts,
  createVerifyToken as createVerifier,
  type TokenVerdict,
} from '../../lib/authenticate/jwt/access-token.ts';
import { signatureAlgorithms } from '../../lib/authenticate/jwt/algorithms.ts';
import type { KeyAnswer, KeyQuery, KeySets, VerificationKey } from '../../lib/authenticate/jwt/keys.ts';
import type { ClaimGrants, TokenIssuer } from '../../lib/authenticate/jwt/token-issuer.ts';
import type { Verify } from '../../lib/authenticate/jwt/verify.ts';
import { encodeBase64url } from '../../lib/codec/base64url.ts';
import { compileClaimPath } from '../../lib/codec/claim-path.ts';
import type { RequestContext } from '../../lib/decision/ports.ts';

/** The instant at which tests happen, in epoch seconds. */
export const now = 1_800_000_000;
export const issuer = 'https://issuer.example';
export const audience = 'https://api.example';

export const context: RequestContext = { defer: () => undefined };

/** What every check passes. */
export const claims = {
  iss: issuer,
  aud: audience,
  sub: 'alice',
  iat: now - 10,
  exp: now + 300,
  scope: 'discover jobs',
};

/** The rules of one issuer, as tests write them. */
export interface OneIssuer {
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly clockSkewSeconds: number;
  readonly maximumLifetimeSeconds: number | null;
  readonly subjectClaim: string;
  readonly algorithms: readonly string[];
  readonly types: readonly string[];
  readonly typeMayBeAbsent: boolean;
}

export const tokenSettings: OneIssuer = {
  issuer,
  audience,
  clockSkewSeconds: 60,
  maximumLifetimeSeconds: 3600,
  subjectClaim: 'sub',
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  types: ['JWT', 'at+jwt', 'application/at+jwt'],
  typeMayBeAbsent: true,
};

export interface Signer {
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly verification: VerificationKey;
}

function algorithmOf(name: string) {
  const algorithm = signatureAlgorithms.get(name);
  if (!algorithm) throw new Error(`no algorithm ${name}`);
  return algorithm;
}

export async function createSigner(
  algorithm: string,
  keyId: string | null = 'k1',
  modulusLength = 2048,
): Promise<Signer> {
  const parameters = {
    ...algorithmOf(algorithm).importParameters,
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const pair = (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair;
  return { algorithm, ...pair, verification: { keyId, algorithm, key: pair.publicKey } };
}

/** One part of a token: JSON for an object, anything else as it stands. */
export function part(value: object | string | Uint8Array): string {
  if (value instanceof Uint8Array) return encodeBase64url(value);
  return encodeBase64url(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));
}

export async function signature(algorithm: string, key: CryptoKey, signed: string): Promise<Uint8Array> {
  return new Uint8Array(
    await crypto.subtle.sign(algorithmOf(algorithm).verifyParameters, key, new TextEncoder().encode(signed)),
  );
}

/** A token whose signature is right for exactly this header and these claims, however wrong those are. */
export async function sign(
  signer: Pick<Signer, 'algorithm' | 'privateKey'>,
  header: object | string | Uint8Array,
  body: object | string | Uint8Array = claims,
): Promise<string> {
  const signed = `${part(header)}.${part(body)}`;
  return `${signed}.${part(await signature(signer.algorithm, signer.privateKey, signed))}`;
}

/** A token with a matching header and every claim in order, save what is given; undefined leaves a claim out. */
export function tokenOf(signer: Signer, changes: object = {}, header: object = {}): Promise<string> {
  return sign(
    signer,
    { alg: signer.algorithm, kid: signer.verification.keyId ?? undefined, typ: 'at+jwt', ...header },
    { ...claims, ...changes },
  );
}

export function secretOctets(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Signs with HS256 and any octets as the secret. */
export async function signWithSecret(
  secret: Uint8Array<ArrayBuffer>,
  header: object,
  body: object = claims,
): Promise<string> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return sign({ algorithm: 'HS256', privateKey: key }, header, body);
}

const nothingGranted: ClaimGrants = { ofClaims: () => ({ scopes: [], roles: [] }), ignoredRoles: () => null };

/** One issuer with its keys, from the rules that tests write; `changes` are members of the issuer itself. */
export function issuerOf(
  { issuer: spelling, audience: wanted, subjectClaim, ...rules }: OneIssuer,
  keySets: KeySets | null,
  changes: Partial<TokenIssuer> = {},
): TokenIssuer {
  return {
    ...rules,
    spellings: spelling === null ? [] : [spelling],
    audiences: wanted === null ? [] : [wanted],
    audienceClaim: null,
    required: [],
    subject: [compileClaimPath(subjectClaim)],
    trustDomain: null,
    keySets,
    grants: nothingGranted,
    identifiesByIssuer: false,
    setBy: {
      issuer: 'TGEFD_JWT_ISSUER',
      audience: 'TGEFD_JWT_AUDIENCE',
      keys: 'TGEFD_JWKS_URL',
      algorithms: 'TGEFD_JWT_ALLOWED_ALGS',
      types: 'TGEFD_JWT_TYP',
      max_ttl_sec: 'TGEFD_JWT_MAX_TTL_SEC',
      subject: 'TGEFD_JWT_SUB_CLAIM',
      require: 'TGEFD_JWT_REQUIRED_CLAIMS',
    },
    ...changes,
  };
}

export type OneIssuerParts = AccessTokenParts & { readonly keySets: KeySets | null };

/** The verification of one issuer's tokens. */
export function createVerifyToken(rules: OneIssuer, { keySets, ...parts }: OneIssuerParts): Verify<TokenVerdict> {
  return createVerifier({ issuers: [issuerOf(rules, keySets)] }, parts);
}

/** A key set that never fails: keys found by key id and algorithm. Remembers what it was asked. */
export function keySetsOf(
  keys: readonly VerificationKey[],
): KeySets & { asked: KeyQuery[]; keys: VerificationKey[]; stale: boolean; answer: KeyAnswer | null } {
  const sets = {
    asked: [] as KeyQuery[],
    keys: [...keys],
    stale: false,
    /** When given, the answer to everything. */
    answer: null as KeyAnswer | null,
    find(query: KeyQuery): KeyAnswer {
      sets.asked.push(query);
      if (sets.answer) return sets.answer;
      const fit = sets.keys.filter(
        (key) => key.algorithm === query.algorithm && (query.keyId ?? key.keyId) === key.keyId,
      );
      if (fit.length === 0) return { found: 'none', reason: { reason: 'token_key_unknown' } };
      return { found: 'keys', keys: fit.slice(0, 4), more: fit.length > 4, stale: sets.stale };
    },
    findAgain: (): KeyAnswer => sets.answer ?? { found: 'none', reason: { reason: 'token_key_unknown' } },
  };
  return sets;
}

/** What a verification comes to in one word or reason: `verified`, or why not. */
export async function judge(verify: Verify<TokenVerdict>, token: string, atSeconds = now): Promise<string | object> {
  const verdict = await verify(token, atSeconds * 1000, context, true);
  if (verdict.outcome === 'verified') return 'verified';
  return verdict.outcome === 'refused' ? verdict.reason : verdict;
}
