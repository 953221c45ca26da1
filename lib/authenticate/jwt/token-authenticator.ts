import type { Clock } from '../../decision/ports.ts';
import type { Authentication } from '../../decision/principal.ts';
import { after, type Eventually } from '../../decision/steps.ts';
import { type Authenticator, refused, unavailable } from '../authenticator.ts';
import type { CertificateReader } from '../certificate/client-certificate.ts';
import { createFindToken, type TokenFieldSettings } from '../credentials.ts';
import type { Proofs } from '../dpop/proofs.ts';
import type { Introspect } from '../introspection/introspect.ts';
import { type AccessTokenParts, type AccessTokenSettings, createVerifyToken } from './access-token.ts';
import type { KeyAnswer } from './keys.ts';
import { createBind, type Presentation } from './known/binding.ts';
import { createMakeKnown, type KnownToken } from './known/known-token.ts';
import { createOpaqueTokens } from './known/opaque-token.ts';
import { createTokenCache, type TokenCacheSettings } from './known/token-cache.ts';
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

/** Three parts of base64url are a JWS, and so is what begins as one and has its two dots, however it was bent. */
const SIGNED = /^(?:[\w-]+\.[\w-]+\.[\w-]+|ey[^.]*\.[^.]*\.[^.]*)$/;
/** Characters of opaque tokens: those of RFC 6750 §2.1, and two that issuers put between an id and a secret. */
const OPAQUE = /^[\w.~+/=|:-]+$/;

/**
 * Authenticates by JWT access token. A token seen and verified before is not verified again: its time limits, the presence
 * of its very key in the key set of its issuer, and what it is bound to are checked every time. The principal's
 * thumbprint is that of a certificate the caller showed the platform; header fields are read for bound tokens only.
 */
export function createTokenAuthenticator(
  settings: TokenAuthenticatorSettings,
  parts: TokenAuthenticatorParts,
): Authenticator {
  const { proofs = null } = parts;
  const findToken = createFindToken({ ...settings, proofs: proofs !== null });
  const verdictOn = createVerdicts(settings, { ...parts, proofs });

  return (request, boundary, context, mayFetchKeys) => {
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
}

type Verdicts = (token: string, presentation: Presentation) => Eventually<Authentication>;

/** Judges a token: by what is known of it, by its signature, or by its issuer's word where it is opaque. */
function createVerdicts(
  settings: TokenAuthenticatorSettings,
  parts: TokenAuthenticatorParts & { readonly proofs: Proofs | null },
): Verdicts {
  const { clock, readCertificate, proofs, introspection = null } = parts;
  const verify = createVerifyToken(settings, parts);
  const cache = createTokenCache<KnownToken>(settings.cache);
  const makeKnown = createMakeKnown({ keepClaims: settings.keepClaims === true, takesProofs: proofs !== null });
  const bind = createBind({ readCertificate, proofs });
  const opaque = introspection === null ? null : createOpaqueTokens(introspection, { makeKnown, bind });

  const again = (known: KnownToken, answer: KeyAnswer, nowMs: number, presentation: Presentation) => {
    if (answer.found === 'keys' && known.key !== null && answer.keys.includes(known.key))
      return bind(known, answer.stale, presentation);
    if (answer.found === 'unavailable') return unavailable(answer.retryAfterSeconds);
    cache.drop(known.token);
    return answer.found === 'none'
      ? refused(presentation.context.explain, 'key', answer.reason)
      : firstTime(known.token, nowMs, presentation);
  };

  const firstTime = (token: string, nowMs: number, presentation: Presentation): Eventually<Authentication> => {
    const { context, mayFetchKeys } = presentation;
    return after(verify(token, nowMs, context, mayFetchKeys), (verdict) => {
      if (verdict.outcome !== 'verified') return verdict;
      return after(makeKnown(token, verdict.token, context), (known) => {
        if ('outcome' in known) return known;
        cache.sighted(known);
        return bind(known, verdict.token.stale, presentation);
      });
    });
  };

  return (token, presentation) => {
    const { context, mayFetchKeys } = presentation;
    if (opaque !== null && !SIGNED.test(token) && OPAQUE.test(token)) return opaque(token, presentation);
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
}

/** A refusal of a token that came with a proof, so that the challenge names that scheme. */
function markedProof(authentication: Authentication): Authentication {
  return authentication.outcome === 'refused' ? { ...authentication, byProof: true } : authentication;
}
