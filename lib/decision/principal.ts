/** Who calls: credentials as they were verified, and the principal they prove. Types only. */

import type { CredentialReason, Degradation } from './reason.ts';

export type AuthMethod = 'api_key' | 'jwt' | 'mtls' | 'none';

/** A client certificate whose chain somebody we trust has verified. */
export interface ClientCertificate {
  /** Distinguished name as the source writes it (RFC 4514 or OpenSSL form); empty where the source gives none. */
  readonly subject: string;
  /** Distinguished name of the issuer, as the source writes it; empty or left out where the source gives none. */
  readonly issuer?: string;
  /** Serial number in hexadecimal digits, where the source gives the certificate. */
  readonly serialNumber?: string;
  /** Subject alternative names, each `URI:…`, `DNS:…` or `email:…`. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the DER in base64url (RFC 8705 `x5t#S256`), or null where the source does not give the certificate. */
  readonly thumbprint: string | null;
  /** Validity limits in epoch seconds, where known. */
  readonly notBeforeSeconds: number | null;
  readonly notAfterSeconds: number | null;
}

/** The authenticated caller. `subject` and `identity` are raw identities: only the subject goes upstream, and nowhere else. */
export interface Principal {
  readonly method: AuthMethod;
  readonly subject: string;
  /** What budgets, records and revocations know the caller by. Two callers who are not the same never share it. */
  readonly identity: string;
  /** Issuer of the token, in the spelling that goes upstream; null for every other method. */
  readonly issuer: string | null;
  /** Claims of the token, where something in the configuration reads them; null otherwise. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** Scopes granted, roles already mapped; `*` stands for every endpoint scope. */
  readonly scopes: readonly string[];
  /** Roles by which scopes came, lower case; empty when scopes were explicit. */
  readonly roles: readonly string[];
  /** Key that vouched for the caller: `kid`, API key id or certificate thumbprint. */
  readonly keyId: string | null;
  readonly tokenId: string | null;
  readonly issuedAtSeconds: number | null;
  readonly expiresAtSeconds: number | null;
  /** Thumbprint of the certificate the caller presented, whatever the method. */
  readonly thumbprint: string | null;
  /** Texts by which the caller can be revoked as a subject, where the subject alone is not what tells callers apart. */
  readonly revocable?: readonly string[];
}

/** What a verified credential may do, roles already mapped. */
export interface Grant {
  readonly scopes: readonly string[];
  /** Roles by which the scopes came, lower case; empty when scopes were explicit. */
  readonly roles: readonly string[];
}

/** A proof of possession that was verified and must count once. */
export interface ProofUse {
  /** Name of the proof in a store: a hash. */
  readonly key: string;
  /** How long the proof could be presented again. */
  readonly lifetimeMs: number;
}

/** What authentication makes of a request. `unavailable` is our outage, never the caller's fault. */
export type Authentication =
  | {
      readonly outcome: 'authenticated';
      readonly principal: Principal;
      /** `keys_stale` when the key came from a set past its lifetime, else empty. */
      readonly degraded: readonly Degradation[];
      /** Present where the caller proved the possession of a key for this one request. */
      readonly proof?: ProofUse;
    }
  | {
      readonly outcome: 'refused';
      readonly reason: CredentialReason;
      /** The kind of credential that was refused, or asked for, where several kinds count. */
      readonly method?: AuthMethod;
      /** The token came with the scheme `DPoP`. */
      readonly byProof?: boolean;
    }
  | { readonly outcome: 'unavailable'; readonly reason: 'keys_unavailable'; readonly retryAfterSeconds: number | null }
  /** The caller's address has brought too many tokens that only their issuer can judge. */
  | { readonly outcome: 'throttled'; readonly retryAfterSeconds: number };

/** What a revocation can name about a credential. */
export interface RevocationHandles {
  readonly tokenId: string | null;
  readonly subject: string | null;
  /** Further texts that name the subject: the names of a certificate. */
  readonly aliases?: readonly string[];
  /** Issuer of a token: a revocation may name a subject of one issuer only. */
  readonly issuer: string | null;
  readonly issuedAtSeconds: number | null;
  /** `kid` of a token. */
  readonly keyId: string | null;
  readonly thumbprint: string | null;
  readonly apiKeyId: string | null;
}

/** Secrets that callers or we present while two values of them are accepted. */
export type CredentialKind = 'jwt_secret' | 'api_key' | 'ingress_secret' | 'redis_token';

/** Told which of two accepted values was used, so that it can be seen when nobody uses the old one any more. */
export type CredentialUsed = (kind: CredentialKind, slot: 'current' | 'previous') => void;
