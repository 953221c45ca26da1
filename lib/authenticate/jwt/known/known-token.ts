import type { RequestContext } from '../../../decision/ports.ts';
import type { Authentication, Grant, Principal } from '../../../decision/principal.ts';
import type { CredentialReason } from '../../../decision/reason.ts';
import type { Eventually } from '../../../decision/steps.ts';
import { authenticated, refused } from '../../authenticator.ts';
import { tokenHashOf } from '../../dpop/proof.ts';
import type { VerifiedToken } from '../access-token.ts';
import type { KeyQuery, KeySets, VerificationKey } from '../keys.ts';
import { subjectAt } from '../subject.ts';
import type { Remembered } from './token-cache.ts';

/** A token whose signature, claims and grant need no second look while this holds. */
export interface KnownToken extends Remembered {
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

/** What is known of a token, by its signature or from its issuer. */
export type Known = Pick<VerifiedToken, 'facts' | 'issuer' | 'query'> & {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly key: VerificationKey | null;
};

const confirmationRefused: CredentialReason = { reason: 'token_claim_invalid', claim: 'cnf' };

/** Reads the grant of a token that was found good, and works out what each use of it must prove. */
export type MakeKnown = (
  token: string,
  known: Known,
  context: RequestContext,
) => Eventually<KnownToken | Authentication>;

export function createMakeKnown(settings: { readonly keepClaims: boolean; readonly takesProofs: boolean }): MakeKnown {
  return (token, known, context) => {
    const { claims, facts, issuer } = known;
    const { proofThumbprint: thumbprint } = facts;
    if (thumbprint !== null && !settings.takesProofs) return refused(context.explain, 'binding', confirmationRefused);
    const grant = issuer.grants.ofClaims(claims);
    context.explain?.('grant', 'read', { scopes: grant.scopes.join(' '), roles: grant.roles.join(' ') });
    const ignored = context.explain ? issuer.grants.ignoredRoles(claims) : null;
    if (ignored) context.explain?.('grant', 'some roles grant nothing', { roles: ignored.roles, why: ignored.why });
    const made = (proof: KnownToken['proof']) =>
      knownToken(token, known, grant, { keepClaims: settings.keepClaims, proof });
    if (thumbprint === null) return made(null);
    return tokenHashOf(token).then((tokenHash) => made({ thumbprint, tokenHash }));
  };
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
