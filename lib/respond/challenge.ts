import type { AuthMethod } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { ChallengeSettings, ScopeDemand } from '../decision/request.ts';
import { codeOf } from './code.ts';

/** What a challenge may say beside the reason. */
export interface ChallengeFacts {
  readonly authMethod: AuthMethod;
  readonly challenge?: ChallengeSettings | null | undefined;
  /** The caller sent its token with the scheme `DPoP`. */
  readonly byProof?: boolean | undefined;
  /** Scopes that the row demands, where the row is known. */
  readonly scope?: ScopeDemand;
}

const schemes: Readonly<Record<AuthMethod, string>> = {
  jwt: 'Bearer',
  api_key: 'ApiKey',
  mtls: 'ClientCertificate',
  none: 'Bearer',
};

type Parameters = readonly (readonly [string, string | null])[];

function challengeText(scheme: string, parameters: Parameters): string {
  const given = parameters.filter(([, value]) => value !== null);
  return `${scheme} ${given.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}

/**
 * The `WWW-Authenticate` value of a denial, or null where none is due: on every 401 (RFC 9110 §15.5.2), without `error` when
 * nothing was sent (RFC 6750 §3.1), and on a missing scope. Names the metadata of the protected resource (RFC 9728 §5.1) and
 * the algorithms of proofs (RFC 9449 §7.1) where the configuration has them. Never says which check of a credential failed.
 */
export function challengeOf(reason: Reason, facts: ChallengeFacts): string | null {
  const { authMethod, challenge } = facts;
  const metadata = challenge?.resourceMetadata ?? null;
  const algorithms = challenge?.proofAlgorithms?.join(' ') ?? null;
  const scheme = schemes[authMethod];
  const bearer = (...parameters: Parameters) =>
    challengeText(scheme, [
      ['realm', 'tgefd'],
      ...parameters,
      ['resource_metadata', scheme === 'Bearer' ? metadata : null],
    ]);
  const proof = (...parameters: Parameters) =>
    challengeText('DPoP', [['realm', 'tgefd'], ...parameters, ['algs', algorithms], ['resource_metadata', metadata]]);
  const required = challenge?.proofsRequired === true;
  const usual = facts.byProof === true || required ? proof : bearer;

  switch (reason.reason) {
    case 'proof_invalid':
    case 'proof_replayed':
      return proof(['error', 'invalid_dpop_proof']);
    case 'proof_nonce_needed':
      return proof(['error', 'use_dpop_nonce']);
    case 'proof_key_mismatch':
      return proof(['error', 'invalid_token']);
    case 'token_binding_refused':
      // Sent as Bearer, a bound token misses its proof; sent with a proof, an unbound one is no token for that.
      return required ? proof(['error', 'invalid_token']) : both(bearer, proof);
    case 'scope_missing':
      return usual(['error', 'insufficient_scope'], ['scope', reason.scope]);
    case 'step_up_needed':
      return usual(
        ['error', 'insufficient_user_authentication'],
        ['acr_values', reason.acr.length === 0 ? null : reason.acr.join(' ')],
        ['max_age', reason.maximumAgeSeconds === null ? null : String(reason.maximumAgeSeconds)],
      );
    case 'issuer_not_allowed':
    case 'claim_mismatch':
      return usual(['error', 'insufficient_scope']);
  }
  const code = codeOf(reason);
  if (code === 'credentials_missing')
    return usual(['scope', metadata === null ? null : scopeText(facts.scope ?? null)]);
  return code === 'credentials_invalid' ? usual(['error', 'invalid_token']) : null;
}

type Challenge = (...parameters: Parameters) => string;

function both(bearer: Challenge, proof: Challenge): string {
  return `${bearer(['error', 'invalid_token'])}, ${proof(['error', 'invalid_token'])}`;
}

function scopeText(scope: ScopeDemand): string | null {
  if (scope === null || typeof scope === 'string') return scope;
  return ('any' in scope ? scope.any : scope.all).join(' ');
}
