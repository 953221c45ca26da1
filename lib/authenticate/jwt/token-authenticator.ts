import type { Clock, RequestContext } from '../../decision/ports.ts';
import type { Authentication, Grant, Principal } from '../../decision/principal.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import type { AccessRequest, Boundary } from '../../decision/request.ts';
import { type Authenticator, authenticated, ownThumbprint, refused } from '../authenticator.ts';
import type { CertificateReader, CertificateReading } from '../certificate/client-certificate.ts';
import { createFindToken, type TokenFieldSettings } from '../credentials.ts';
import { tokenHashOf } from '../dpop/proof.ts';
import type { Proofs } from '../dpop/proofs.ts';
import type { Introspect, Introspected } from '../introspection/introspect.ts';
import {
  type AccessTokenParts,
  type AccessTokenSettings,
  createVerifyToken,
  type VerifiedToken,
} from './access-token.ts';
import type { KeyAnswer, KeyQuery, KeySets, VerificationKey } from './keys.ts';
import { subjectAt } from './subject.ts';
import { createTokenCache, type Remembered, type TokenCacheSettings } from './token-cache.ts';
import type { TokenIssuer } from './token-issuer.ts';

export interface TokenAuthenticatorSettings extends TokenFieldSettings, AccessTokenSettings {
  readonly cache: TokenCacheSettings;
  /** Whether a principal carries the claims of its token, for what is read from them after authentication. */
  readonly keepClaims?: boolean;
}

export interface TokenAuthenticatorParts extends AccessTokenParts {
  readonly clock: Clock;
  readonly readCertificate: CertificateReader;
  /** Proofs of possession (RFC 9449); null: tokens that demand one are refused. */
  readonly proofs?: Proofs | null;
  /** Asks about tokens that are no JWS, and the issuer that is asked; null: nobody is. */
  readonly introspection?: { readonly introspect: Introspect; readonly issuer: TokenIssuer } | null;
}

/** A token whose signature, claims and grant need no second look while this holds. */
interface KnownToken extends Remembered {
  /** First instant at which it is valid, skew included, and the first at which it no longer is. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** The keys of its issuer, which answer `query` with `key` as long as the key lives; null for a shared secret. */
  readonly keySets: KeySets | null;
  readonly query: KeyQuery | null;
  /** Null: the issuer was asked about the token. */
  readonly key: VerificationKey | null;
  /** Thumbprint of the certificate that must be presented with it, or null. */
  readonly boundTo: string | null;
  /** Thumbprint of the key that must be proved with each use, and the token's hash that a proof names; null: unbound. */
  readonly proof: { readonly thumbprint: string; readonly tokenHash: string } | null;
  readonly principal: Principal;
  /** The answer for a fresh key and no other certificate, made once. */
  readonly authentication: Authentication;
}

/** What one request brings besides its token. */
interface Presentation {
  readonly request: AccessRequest;
  readonly boundary: Boundary;
  readonly context: RequestContext;
  readonly mayFetchKeys: boolean;
  /** The token came with the scheme `DPoP`. */
  readonly byProof: boolean;
}

/** Three parts of base64url: only what has another shape is opaque. */
const SIGNED = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** What is known of a token, by its signature or from its issuer. */
type Known = Pick<VerifiedToken, 'facts' | 'issuer' | 'query'> & {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly key: VerificationKey | null;
};

const mismatch: CredentialReason = { reason: 'token_certificate_mismatch' };
const confirmationRefused: CredentialReason = { reason: 'token_claim_invalid', claim: 'cnf' };

/**
 * Authenticates by JWT access token. A token seen and verified before is not verified again: its time limits, the presence
 * of its very key in the key set of its issuer, and what it is bound to are checked every time. The principal's
 * thumbprint is that of a certificate the caller showed the platform; header fields are read for bound tokens only.
 */
export function createTokenAuthenticator(
  settings: TokenAuthenticatorSettings,
  parts: TokenAuthenticatorParts,
): Authenticator {
  const { clock, readCertificate } = parts;
  const { proofs = null, introspection = null } = parts;
  const introspected = new WeakMap<Introspected, KnownToken>();
  const findToken = createFindToken({ ...settings, proofs: proofs !== null });
  const verify = createVerifyToken(settings, parts);
  const cache = createTokenCache<KnownToken>(settings.cache);

  const authenticate: Authenticator = (request, boundary, context, mayFetchKeys) => {
    const found = findToken(request.headers);
    if (typeof found === 'object' && 'reason' in found) return refused(context.explain, 'credential', found);
    const byProof = typeof found === 'object';
    const token = byProof ? found.token : found;
    context.explain?.('credential', byProof ? 'one token with a proof' : 'one token', {
      field: settings.header,
      bytes: token.length,
    });
    const presentation = { request, boundary, context, mayFetchKeys, byProof };
    return byProof ? Promise.resolve(verdictOn(token, presentation)).then(markedProof) : verdictOn(token, presentation);
  };

  const verdictOn = (token: string, presentation: Presentation): Authentication | Promise<Authentication> => {
    const { context, mayFetchKeys } = presentation;
    if (introspection !== null && !SIGNED.test(token)) return opaque(token, introspection, presentation);
    const nowMs = clock();
    const known = cache.find(token);
    if (!known || nowMs < known.fromMs || nowMs >= known.untilMs) return firstTime(token, nowMs, presentation);
    context.explain?.('cache', 'verified before', { key_id: known.principal.keyId });
    if (known.query === null || known.keySets === null) return bind(known, false, presentation);
    const answer = known.keySets.find(known.query, context, mayFetchKeys);
    return answer instanceof Promise
      ? answer.then((later) => again(known, later, nowMs, presentation))
      : again(known, answer, nowMs, presentation);
  };

  const again = (known: KnownToken, answer: KeyAnswer, nowMs: number, presentation: Presentation) => {
    if (answer.found === 'keys' && known.key !== null && answer.keys.includes(known.key))
      return bind(known, answer.stale, presentation);
    if (answer.found === 'unavailable') return outage(answer.retryAfterSeconds);
    cache.drop(known.token);
    return answer.found === 'none'
      ? refused(presentation.context.explain, 'key', answer.reason)
      : firstTime(known.token, nowMs, presentation);
  };

  const firstTime = async (token: string, nowMs: number, presentation: Presentation): Promise<Authentication> => {
    const { context, mayFetchKeys } = presentation;
    const verdict = await verify(token, nowMs, context, mayFetchKeys);
    if (verdict.outcome !== 'verified') return verdict;
    const known = await knownOf(token, verdict.token, context);
    if ('outcome' in known) return known;
    cache.sighted(known);
    return bind(known, verdict.token.stale, presentation);
  };

  const opaque = async (
    token: string,
    { introspect, issuer }: NonNullable<typeof introspection>,
    presentation: Presentation,
  ): Promise<Authentication> => {
    const { context, mayFetchKeys: mayAsk, boundary } = presentation;
    const answer = await introspect(token, { mayAsk, address: boundary.addressPartition, context });
    if (answer.outcome === 'unavailable') return outage(answer.retryAfterSeconds);
    if (answer.outcome === 'refused') return refused(context.explain, 'introspection', answer.reason);
    context.explain?.('introspection', 'active', { issuer: issuer.spellings[0] ?? null });
    const known =
      introspected.get(answer) ?? (await knownOf(token, { ...answer, issuer, key: null, query: null }, context));
    if ('outcome' in known) return known;
    introspected.set(answer, known);
    return bind(known, false, presentation);
  };

  const knownOf = async (
    token: string,
    verified: Known,
    context: RequestContext,
  ): Promise<KnownToken | Authentication> => {
    const { claims, facts, issuer } = verified;
    if (facts.proofThumbprint !== null && proofs === null)
      return refused(context.explain, 'binding', confirmationRefused);
    const grant = issuer.grants.ofClaims(claims);
    context.explain?.('grant', 'read', { scopes: grant.scopes.join(' '), roles: grant.roles.join(' ') });
    const ignored = context.explain ? issuer.grants.ignoredRoles(claims) : null;
    if (ignored) context.explain?.('grant', 'some roles grant nothing', { roles: ignored.roles, why: ignored.why });
    const { proofThumbprint: thumbprint } = facts;
    const proof = thumbprint === null ? null : { thumbprint, tokenHash: await tokenHashOf(token) };
    return knownToken(token, verified, grant, { keepClaims: settings.keepClaims === true, proof });
  };

  const bind = (known: KnownToken, stale: boolean, presentation: Presentation) => {
    const { byProof, context } = presentation;
    if (known.proof === null ? byProof || proofs?.required === true : !byProof)
      return refused(context.explain, 'binding', {
        reason: 'token_binding_refused',
        sent: byProof ? 'dpop' : 'bearer',
      });
    const certified = certify(known, stale, presentation);
    return known.proof === null || proofs === null ? certified : proofs.prove(certified, known.proof, presentation);
  };

  const certify = (known: KnownToken, stale: boolean, { request, boundary, context }: Presentation) => {
    if (known.boundTo === null) return present(known, stale, ownThumbprint(request, boundary));
    const settle = (reading: CertificateReading) => {
      if (reading.found === 'refused') return refused(context.explain, 'certificate', reading.reason);
      const thumbprint = reading.found === 'certificate' ? reading.certificate.thumbprint : null;
      if (thumbprint !== known.boundTo) return refused(context.explain, 'certificate', mismatch);
      context.explain?.('certificate', 'the one that the token is bound to');
      return present(known, stale, thumbprint);
    };
    const reading = readCertificate(boundary, request.hop);
    return reading instanceof Promise ? reading.then(settle) : settle(reading);
  };

  return authenticate;
}

function present(known: KnownToken, stale: boolean, thumbprint: string | null): Authentication {
  const { principal } = known;
  if (thumbprint === principal.thumbprint) return stale ? authenticated(principal, true) : known.authentication;
  return authenticated({ ...principal, thumbprint }, stale);
}

function knownToken(
  token: string,
  { claims, facts, issuer, key, query }: Known,
  { scopes, roles }: Grant,
  { keepClaims, proof }: { readonly keepClaims: boolean; readonly proof: KnownToken['proof'] },
): KnownToken {
  const skewSeconds = issuer.clockSkewSeconds;
  const name = issuer.spellings[0] ?? facts.issuer;
  const principal: Principal = Object.freeze({
    method: 'jwt',
    subject: facts.subject,
    identity: issuer.identifiesByIssuer && name !== null ? subjectAt(name, facts.subject) : facts.subject,
    issuer: name,
    claims: keepClaims ? claims : null,
    scopes,
    roles,
    keyId: key?.keyId ?? null,
    tokenId: facts.tokenId,
    issuedAtSeconds: facts.issuedAtSeconds,
    expiresAtSeconds: facts.expiresAtSeconds,
    thumbprint: facts.certificateThumbprint,
  });
  return {
    token,
    fromMs: ((facts.validFromSeconds ?? Number.NEGATIVE_INFINITY) - skewSeconds) * 1000,
    untilMs: (facts.expiresAtSeconds + skewSeconds) * 1000,
    keySets: issuer.keySets,
    query,
    key,
    boundTo: facts.certificateThumbprint,
    proof,
    principal,
    authentication: Object.freeze(authenticated(principal)),
  };
}

/** A refusal of a token that came with a proof, so that the challenge names that scheme. */
function markedProof(authentication: Authentication): Authentication {
  return authentication.outcome === 'refused' ? { ...authentication, byProof: true } : authentication;
}

function outage(retryAfterSeconds: number | null): Authentication {
  return {
    outcome: 'unavailable',
    reason: 'keys_unavailable',
    retryAfterSeconds,
  };
}
