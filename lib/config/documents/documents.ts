import type { ApiKey } from '../../authenticate/api-key.ts';
import type { CertificatePolicy } from '../../authenticate/certificate/certificate-policy.ts';
import type { Endpoint } from '../../decision/request.ts';
import type { QuotaOverride } from '../../limit/plans/overrides.ts';
import type { Plan } from '../../limit/plans/plans.ts';
import type { AddressRange } from '../../request/addresses.ts';
import type { AssertionKey } from '../../respond/assertion-key.ts';
import type { ForwardedClaim } from '../../respond/forwarded-claims.ts';

/** Variables whose text is a document of its own, read by the room that owns its form. */
export interface Documents {
  /** The whole endpoint table: the contract's rows, the operator's, and our own. */
  readonly endpoints: readonly Endpoint[];
  /** The table of `TGEFD_SHADOW_ENDPOINTS`, whole; null where there is none. */
  readonly shadowEndpoints: readonly Endpoint[] | null;
  readonly trustedProxies: readonly AddressRange[];
  /** Signing key first, the previous one after it; empty where none is configured. */
  readonly assertionKeys: readonly AssertionKey[];
  /** Keys of manifests: the one that signs first, then one that only verifies, perhaps public; empty where none is configured. */
  readonly auditSigningKeys: readonly AssertionKey[];
  readonly apiKeys: readonly ApiKey[];
  readonly mtlsPolicy: CertificatePolicy;
  /** Claims that go upstream, each in a field of its own. */
  readonly forwardClaims: readonly ForwardedClaim[];
  readonly quotaOverrides: readonly QuotaOverride[];
  /** Scopes of further roles, for every issuer and for certificates. */
  readonly roleScopes: Readonly<Record<string, readonly string[]>>;
  readonly plans: ReadonlyMap<string, Plan>;
  /** Header fields of every export of spans. */
  readonly exporterHeaders: Readonly<Record<string, string>>;
}
