/** The providers whose tokens have named defaults, in the order in which documentation lists them. */
export const providerNames = [
  'auth0',
  'clerk',
  'cloudflare-access',
  'cognito',
  'entra',
  'firebase',
  'github',
  'google',
  'keycloak',
  'kubernetes',
  'okta',
  'spiffe',
  'supabase',
  'zitadel',
] as const;

export type ProviderName = (typeof providerNames)[number];

/** What the tokens of one provider look like: defaults for the members of an issuer that the configuration leaves out. */
export interface Provider {
  /** As the vendor writes its name. */
  readonly title: string;
  /** The form of `iss`, with the parts that differ in capitals. */
  readonly issuer: string;
  /** What `audience` has to name at this provider. */
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** Longest `exp - iat` that the provider gives out by default, or null for the product's own limit. */
  readonly maximumLifetimeSeconds: number | null;
  /** Claim that stands in for an absent `aud`, or null. */
  readonly audienceClaim: string | null;
  readonly subject: readonly string[];
  /** Claims that hold scopes: the first that a token has counts. */
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly grants: 'first' | 'union';
  /** Claims that tell this kind of token from others of the same issuer. */
  readonly required: Readonly<Record<string, readonly string[]>>;
  /** Path of the key set at the issuer's own host, for providers without discovery. */
  readonly keySetPath: string | null;
  /** Hosts besides the issuer's own where discovery may find the key set. */
  readonly keySetHosts: readonly string[];
  /** Further spellings of the same issuer, accepted when one of them is configured. */
  readonly spellings: readonly string[];
  /** Claims of which one must be required, since strangers get valid tokens of the same issuer; empty where they do not. */
  readonly strangersUnless: readonly string[];
}
