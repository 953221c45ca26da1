import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { systemClock } from './clock.ts';
import {
  AUTH_METHODS,
  type Caller,
  type ReceivedRequest,
  type Refusal,
  type ReplayCache,
  type Verification,
} from './verification.ts';

const MAX_LIFETIME_SECONDS = 60;
const MAX_ASSERTION_CHARACTERS = 8192;

/** What a service knows of the authorizer in front of it. */
export interface VerifierSettings {
  /** Origin of this service as the authorizer knows it (`TGEFD_UPSTREAM_URL`), without a trailing slash. */
  readonly audience: string;
  /** The authorizer's `/_authorizer/jwks.json`, or a jose key resolver. */
  readonly keys: URL | JWTVerifyGetKey;
  /** (`tgefd-authorizer`) */
  readonly issuer?: string;
  /** Form of the assertions, as `TGEFD_ASSERTION_PROFILE` says (`tgefd`). An assertion of the other form is refused. */
  readonly profile?: 'tgefd' | 'txn-token';
  /** Tolerated difference of the two clocks, in seconds (5). */
  readonly clockToleranceSeconds?: number;
  /** Where one assertion must not serve twice (none: twice within its life is possible). */
  readonly replayCache?: ReplayCache;
  /** (the system's clock) */
  readonly clock?: () => Date;
}

/** Verifies one assertion for one request. Never throws. */
export type Verifier = (assertion: string | null | undefined, request: ReceivedRequest) => Promise<Verification>;

/**
 * Makes the verifier of signed identity assertions, with a key set that is fetched when it is needed and kept for a
 * minute. It holds every claim against the request at hand. It does not cover query, body or other header fields, and
 * grants nothing: what a caller may do with its scopes is for the service to say.
 *
 * @param settings The service's own origin, and where the authorizer publishes its keys.
 * @returns A verifier that never throws.
 * @example
 * const verify = createAssertionVerifier({
 *   audience: 'https://api.internal',
 *   keys: new URL('https://authorizer.internal/_authorizer/jwks.json'),
 * });
 * const verification = await verify(request.headers.get(ASSERTION_FIELD), { method: 'GET', path: '/v1/jobs/42' });
 * if (verification.outcome === 'verified') console.log(verification.caller.subject);
 */
export function createAssertionVerifier(settings: VerifierSettings): Verifier {
  const { issuer = 'tgefd-authorizer', clockToleranceSeconds = 5, clock = systemClock, replayCache } = settings;
  const form = FORMS[settings.profile ?? 'tgefd'];
  const keys =
    settings.keys instanceof URL
      ? createRemoteJWKSet(settings.keys, { cacheMaxAge: 60_000, cooldownDuration: 10_000, timeoutDuration: 3_000 })
      : settings.keys;

  return async (assertion, request) => {
    if (!assertion) return refused('missing');
    if (assertion.length > MAX_ASSERTION_CHARACTERS) return refused('oversized');
    const now = clock();
    let claims: JWTPayload;
    try {
      const verified = await jwtVerify(assertion, keys, {
        algorithms: ['EdDSA', 'ES256'],
        typ: form.type,
        issuer,
        requiredClaims: form.required,
        clockTolerance: clockToleranceSeconds,
        currentDate: now,
      });
      claims = form.read(verified.payload);
    } catch (error) {
      return fromJoseError(error);
    }
    const latestIatSeconds = now.getTime() / 1000 + clockToleranceSeconds;
    const caller = callerOf(claims, request, { audience: settings.audience, latestIatSeconds });
    if (typeof caller === 'string') return refused(caller);
    const untilSeconds = caller.expiresAtSeconds + clockToleranceSeconds;
    if (replayCache && !(await replayCache.first(caller.decisionId, untilSeconds))) return refused('replayed');
    return { outcome: 'verified', caller };
  };
}

interface Form {
  readonly type: string;
  readonly required: string[];
  /** The claims as our own form has them. */
  readonly read: (claims: JWTPayload) => JWTPayload;
}

const FORMS: Readonly<Record<'tgefd' | 'txn-token', Form>> = {
  tgefd: {
    type: 'tgefd-assertion+jwt',
    required: ['sub', 'scope', 'amr', 'jti', 'iat', 'exp', 'htm', 'htu'],
    read: (claims) => claims,
  },
  'txn-token': {
    type: 'txntoken+jwt',
    required: ['aud', 'sub', 'scope', 'txn', 'req_wl', 'tctx', 'rctx', 'iat', 'exp'],
    read(claims) {
      const { iss, aud, sub, scope, iat, exp, txn, tctx, rctx } = claims;
      const [transaction, requester] = [objectOf(tctx), objectOf(rctx)];
      const told = { iss, aud, sub, scope, iat, exp, jti: txn, htm: transaction.htm, htu: transaction.htu };
      return { ...told, claims: transaction.claims, amr: requester.amr, idp: requester.idp } as JWTPayload;
    },
  },
};

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

const verifiers = new WeakMap<VerifierSettings, Verifier>();

/**
 * Verifies the signed identity assertion of one request. Keep `settings` in a constant: the key set that was fetched for
 * it serves the next call with the same object.
 *
 * @param assertion Value of the field `x-tgefd-assertion`, or null when it is absent.
 * @param request Method and raw path of the request, or a web `Request`.
 * @param settings The service's own origin, and where the authorizer publishes its keys.
 * @returns The caller, why the assertion is refused, or that the key set could not be had. Never throws.
 * @example
 * const settings = { audience: 'https://api.internal', keys: new URL('https://authorizer.internal/_authorizer/jwks.json') };
 * const verification = await verifyAssertion(request.headers.get('x-tgefd-assertion'), request, settings);
 * if (verification.outcome !== 'verified') return new Response(null, { status: 401 });
 */
export function verifyAssertion(
  assertion: string | null | undefined,
  request: ReceivedRequest | Request,
  settings: VerifierSettings,
): Promise<Verification> {
  const verify = verifiers.get(settings) ?? createAssertionVerifier(settings);
  verifiers.set(settings, verify);
  const path = 'url' in request ? new URL(request.url).pathname : request.path;
  return verify(assertion, { method: request.method, path });
}

/** The caller that the claims name, or why they do not hold for this request. */
function callerOf(
  claims: JWTPayload,
  { method, path }: ReceivedRequest,
  { audience, latestIatSeconds }: { readonly audience: string; readonly latestIatSeconds: number },
): Caller | Refusal {
  const { sub, scope, amr, jti, iat, exp, htm, htu, idp = null, claims: forwarded } = claims;
  const authMethod =
    Array.isArray(amr) && amr.length === 1 ? AUTH_METHODS.find((known) => known === amr[0]) : undefined;
  if (typeof sub !== 'string' || sub === '' || typeof scope !== 'string' || authMethod === undefined) return 'claim';
  if (typeof jti !== 'string' || jti === '' || iat === undefined || exp === undefined) return 'claim';
  if (idp !== null && typeof idp !== 'string') return 'claim';
  // `aud` may be a list for jose; an assertion is for one service alone.
  if (claims.aud !== audience) return 'audience';
  if (exp - iat > MAX_LIFETIME_SECONDS || exp <= iat) return 'lifetime';
  if (iat > latestIatSeconds) return 'not_yet_valid';
  if (htm !== method) return 'method';
  if (htu !== `${audience}${path}`) return 'path';
  const scopes = scope.split(' ').filter((one) => one !== '');
  const told = { subject: sub, idp, claims: objectOf(forwarded) };
  return { ...told, scopes, authMethod, decisionId: jti, expiresAtSeconds: exp };
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
