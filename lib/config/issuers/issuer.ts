import type { ProviderName } from '../../authenticate/providers/provider.ts';
import type { WantedValue } from '../../codec/claim-values.ts';

/** Where the keys of an issuer come from. */
export type KeysFrom =
  | { readonly from: 'url'; readonly url: URL }
  | { readonly from: 'file'; readonly path: string }
  /** A JSON Web Key Set as text (RFC 7517 §5). */
  | { readonly from: 'inline'; readonly text: string }
  /** The issuer's metadata names the key set. */
  | { readonly from: 'discovery'; readonly issuer: string }
  /** HS256 in development: the shared secret of `TGEFD_JWT_SECRET`. */
  | { readonly from: 'secret' };

/** How an issuer is asked about opaque tokens (RFC 7662). */
export interface Introspection {
  readonly url: URL;
  readonly clientId: string;
  readonly clientSecret: string | null;
  readonly clientSecretFile: string | null;
  readonly cacheSeconds: number;
}

/** What the configuration says of one issuer; what it leaves out is undefined. Lists may still be empty. */
export interface DeclaredIssuer {
  readonly issuer?: readonly string[] | undefined;
  readonly provider?: ProviderName | undefined;
  readonly audience?: readonly string[] | undefined;
  readonly audience_claim?: string | undefined;
  readonly keys?: KeysFrom | undefined;
  readonly keys_token_file?: string | undefined;
  readonly algorithms?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  readonly max_ttl_sec?: number | undefined;
  readonly subject?: readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly grants?: 'first' | 'union' | undefined;
  readonly role_scopes?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly require?: Readonly<Record<string, readonly WantedValue[]>> | undefined;
  readonly introspection?: Introspection | undefined;
}

export type IssuerMember = keyof DeclaredIssuer;

/** One issuer whose tokens count, with nothing left out. */
export interface IssuerSettings {
  /** Spellings of `iss` that name this issuer, the one that goes upstream first; empty: any `iss` (development). */
  readonly spellings: readonly string[];
  /** SPIFFE trust domain, `spiffe://…`: `sub` must stand in it, and `iss` may be absent. Null for other issuers. */
  readonly trustDomain: string | null;
  readonly provider: ProviderName | null;
  /** Any one suffices; empty: `aud` is not checked (development). */
  readonly audiences: readonly string[];
  readonly audienceClaim: string | null;
  readonly keys: KeysFrom;
  /** Hosts besides the issuer's own where discovery may find the key set. */
  readonly keySetHosts: readonly string[];
  readonly keysTokenFile: string | null;
  /** Signature algorithms that count, after the rules on key sets and secrets. */
  readonly algorithms: readonly string[];
  readonly types: readonly string[];
  readonly maximumLifetimeSeconds: number | null;
  readonly subject: readonly string[];
  readonly scopes: readonly string[];
  /** Whether the configuration names the scope claims: then all of them count together, and no default does. */
  readonly scopesNamed: boolean;
  readonly roles: readonly string[];
  readonly grants: 'first' | 'union';
  readonly roleScopes: Readonly<Record<string, readonly string[]>>;
  readonly required: Readonly<Record<string, readonly WantedValue[]>>;
  /** Whether the identity of a caller is issuer and subject (`TGEFD_ISSUERS`), or the subject alone. */
  readonly identifiesByIssuer: boolean;
  /** Where opaque tokens are asked for (RFC 7662), as configured; null: such tokens are nobody's. */
  readonly introspection: Introspection | null;
  /** What to change for a member: a variable, a member of a row, or the provider whose default it is. */
  readonly setBy: Readonly<Record<IssuerMember, string>>;
}
