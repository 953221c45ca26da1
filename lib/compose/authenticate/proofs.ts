import { createNonces } from '../../authenticate/dpop/nonce.ts';
import { createCheckProof } from '../../authenticate/dpop/proof.ts';
import { PROOF_ALGORITHMS } from '../../authenticate/dpop/proof-key.ts';
import { createProofs, type Proofs } from '../../authenticate/dpop/proofs.ts';
import type { Config } from '../../config/load.ts';
import type { ChallengeSettings } from '../../decision/request.ts';
import { canonicalTarget } from '../../request/path.ts';
import { metadataUrl, resourceMetadata } from '../../respond/protected-resource.ts';
import type { Runtime } from '../runtime.ts';

/** Whether proofs count here: an answer that API Gateway keeps would let later requests pass without one. */
export function proofsCount({ settings, authMode, place }: Config): boolean {
  const kept = place.platform === 'lambda' && settings.authorizerTtlSeconds > 0;
  return authMode === 'jwt' && settings.dpop !== 'off' && !kept;
}

/** The check of proofs of possession, or null where tokens that demand one are refused. */
export function composeProofs(config: Config, runtime: Runtime, nonceKeys: readonly string[]): Proofs | null {
  const { settings } = config;
  if (!proofsCount(config)) return null;
  const canonicalPath = (target: string) => {
    const canonical = canonicalTarget(target);
    return canonical.ok ? canonical.path : null;
  };
  const check = createCheckProof(
    { maximumAgeSeconds: settings.dpopMaximumAgeSeconds, clockSkewSeconds: settings.jwtClockSkewSeconds },
    {
      canonicalPath,
      nonces: settings.dpopNonce === 'required' ? createNonces(nonceKeys, runtime.cryptography?.hmac) : null,
      signaturePrimitive: runtime.cryptography?.verify,
    },
  );
  return createProofs({ required: settings.dpop === 'required' }, { check, canonicalPath, clock: runtime.clock });
}

/** What every challenge may say. */
export function challengeSettings(config: Config): ChallengeSettings {
  const { settings } = config;
  const count = proofsCount(config);
  return {
    resourceMetadata: settings.resource === null ? null : metadataUrl(settings.resource),
    proofAlgorithms: count ? PROOF_ALGORITHMS : null,
    proofsRequired: count && settings.dpop === 'required',
  };
}

/** The metadata of the protected resource as it is served, or null where it has no identifier. */
export function composeResource(config: Config): { readonly identifier: URL; readonly metadata: string } | null {
  const { settings, documents } = config;
  if (settings.resource === null) return null;
  const { proofAlgorithms, proofsRequired } = challengeSettings(config);
  const issuers = config.issuers.flatMap(({ spellings }) => spellings.slice(0, 1));
  const { endpoints } = documents;
  const facts = { resource: settings.resource, issuers, endpoints, proofAlgorithms, proofsRequired };
  return { identifier: settings.resource, metadata: JSON.stringify(resourceMetadata(facts)) };
}
