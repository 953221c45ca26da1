import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** The header field that carries the assertion. */
export const ASSERTION_FIELD = 'x-tgefd-assertion';

const MAX_LIFETIME_SECONDS = 60;
const MAX_ASSERTION_CHARACTERS = 8192;
const AUTH_METHODS = ['jwt', 'mtls', 'api_key', 'none'] as const;

/** Who calls, as the authorizer decided about exactly this request. */
export interface Caller {
  readonly subject: string;
  /** Granted scopes; `*` stands for every endpoint scope. */
  readonly scopes: readonly string[];
  readonly authMethod: (typeof AUTH_METHODS)[number];
  /** Id of the decision, the same as in the audit record. */
  readonly decisionId: string;
  readonly expiresAtSeconds: number;
}

/** Why an assertion was refused: for your log, not for the caller. */
export type Refusal =
  | 'missing'
  | 'oversized'
  | 'malformed'
  | 'signature'
  | 'key_unknown'
  | 'type'
  | 'algorithm'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'lifetime'
  | 'claim'
  | 'method'
  | 'path'
  | 'replayed';

export type Verification =
  | { readonly outcome: 'verified'; readonly caller: Caller }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** The key set could not be had: our outage, a 503. */
  | { readonly outcome: 'unavailable' };

/** Remembers what was used. For several instances of a service it must be one shared store. */
export interface ReplayCache {
  /** True the first time a `jti` comes by; it may be forgotten after `untilSeconds` (epoch). */
  first(jti: string, untilSeconds: number): boolean | Promise<boolean>;
}

export interface VerifierSettings {
  /** Origin of this service as the authorizer knows it (`TGEFD_UPSTREAM_URL`), without a trailing slash. */
  readonly audience: string;
  /** The authorizer's `/_authorizer/jwks.json`, or a jose key resolver. */
  readonly keys: URL | JWTVerifyGetKey;
  /** (`tgefd-authorizer`) */
  readonly issuer?: string;
  /** Tolerated difference of the two clocks, in seconds (5). */
  readonly clockToleranceSeconds?: number;
  /** Where one assertion must not serve twice (none: twice within its life is possible). */
  readonly replayCache?: ReplayCache;
  /** (the system's clock) */
  readonly clock?: () => Date;
}

export interface ReceivedRequest {
  readonly method: string;
  /** Raw path as received, without query. */
  readonly path: string;
}

export type Verifier = (assertion: string | null | undefined, request: ReceivedRequest) => Promise<Verification>;

/**
 * Makes the verifier of signed identity assertions. It holds every claim of docs/identity_assertion.md against the request
 * at hand. Does not cover query, body or other headers, and grants nothing: what a caller may do with its scopes is the
 * service's to say. Never throws.
 */
export function createAssertionVerifier(settings: VerifierSettings): Verifier {
  const { audience, issuer = 'tgefd-authorizer', clockToleranceSeconds = 5, replayCache } = settings;
  const clock = settings.clock ?? (() => new Date());
  const keys =
    settings.keys instanceof URL
      ? createRemoteJWKSet(settings.keys, { cacheMaxAge: 60_000, cooldownDuration: 10_000, timeoutDuration: 3_000 })
      : settings.keys;

  return async (assertion, { method, path }) => {
    if (!assertion) return refused('missing');
    if (assertion.length > MAX_ASSERTION_CHARACTERS) return refused('oversized');
    const now = clock();
    let claims: JWTPayload;
    try {
      const verified = await jwtVerify(assertion, keys, {
        algorithms: ['EdDSA', 'ES256'],
        typ: 'tgefd-assertion+jwt',
        issuer,
        requiredClaims: ['sub', 'scope', 'amr', 'jti', 'iat', 'exp', 'htm', 'htu'],
        clockTolerance: clockToleranceSeconds,
        currentDate: now,
      });
      claims = verified.payload;
    } catch (error) {
      return fromJoseError(error);
    }

    const { sub, scope, amr, jti, iat, exp, htm, htu } = claims;
    const authMethod =
      Array.isArray(amr) && amr.length === 1 ? AUTH_METHODS.find((known) => known === amr[0]) : undefined;
    if (typeof sub !== 'string' || sub === '' || typeof scope !== 'string' || authMethod === undefined) {
      return refused('claim');
    }
    if (typeof jti !== 'string' || jti === '' || iat === undefined || exp === undefined) return refused('claim');
    // `aud` may be a list for jose; an assertion is for one service alone.
    if (claims.aud !== audience) return refused('audience');
    if (exp - iat > MAX_LIFETIME_SECONDS || exp <= iat) return refused('lifetime');
    if (iat > now.getTime() / 1000 + clockToleranceSeconds) return refused('not_yet_valid');
    if (htm !== method) return refused('method');
    if (htu !== `${audience}${path}`) return refused('path');
    if (replayCache && !(await replayCache.first(jti, exp + clockToleranceSeconds))) return refused('replayed');
    const scopes = scope.split(' ').filter((one) => one !== '');
    return {
      outcome: 'verified',
      caller: { subject: sub, scopes, authMethod, decisionId: jti, expiresAtSeconds: exp },
    };
  };
}

/**
 * A replay cache of this process. When it is full of assertions that still live it refuses new ones: a flood must not make
 * it forget.
 */
export function createMemoryReplayCache(maxEntries = 100_000, clock: () => Date = () => new Date()): ReplayCache {
  const used = new Map<string, number>();
  return {
    first(jti, untilSeconds) {
      const nowSeconds = clock().getTime() / 1000;
      if ((used.get(jti) ?? 0) > nowSeconds) return false;
      if (used.size >= maxEntries) {
        for (const [known, until] of used) if (until <= nowSeconds) used.delete(known);
        if (used.size >= maxEntries) return false;
      }
      used.set(jti, untilSeconds);
      return true;
    },
  };
}

function refused(refusal: Refusal): Verification {
  return { outcome: 'refused', refusal };
}

const CLAIM_REFUSALS: Readonly<Record<string, Refusal>> = {
  iss: 'issuer',
  nbf: 'not_yet_valid',
  typ: 'type',
};

function fromJoseError(error: unknown): Verification {
  if (error instanceof errors.JWTExpired) return refused('expired');
  if (error instanceof errors.JWTClaimValidationFailed) return refused(CLAIM_REFUSALS[error.claim] ?? 'claim');
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused('signature');
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return refused('key_unknown');
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return refused('algorithm');
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) return refused('malformed');
  // What is left is trouble with the key set: a time-out, another status, a body that is no key set, no connection.
  return { outcome: 'unavailable' };
}
