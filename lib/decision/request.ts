/** A request as a decision sees it: what came in, what may be believed of it, and the endpoint it asks for. Types only. */

import type { ClientCertificate } from './principal.ts';
import type { CredentialReason, Reason, UnknownMessage } from './reason.ts';

/** The way in that a request took (`library`: an application asked, and serves by itself). The record and `explain` name it; the decision itself never depends on it. */
export type RequestSource =
  | 'gateway'
  | 'library'
  | 'nginx'
  | 'traefik'
  | 'caddy'
  | 'envoy'
  | 'lambda_rest_token'
  | 'lambda_rest_request'
  | 'lambda_http_1'
  | 'lambda_http_2';

/**
 * Header fields of one message. `get` takes a name in any letter case; a field sent more than once is one value joined
 * by `, ` in order of arrival (RFC 9110 §5.3). An adapter must never drop a repetition: the boundary looks for them.
 * The web `Headers` is one.
 */
export interface HeaderFields {
  get(name: string): string | null;
  /** How often a field was sent; left out where the platform joins repetitions before anybody can count them. */
  times?(name: string): number;
  [Symbol.iterator](): Iterator<[string, string]>;
}

/** What the platform itself vouches for about the connection a request came in on; nothing here was read from a header
 * that a caller can set. */
export interface Hop {
  /** Address of the peer (a socket's, or one that the platform guarantees), or null where there is none. */
  readonly peerAddress: string | null;
  /** Whether that connection was TLS; null where the platform does not tell. */
  readonly secure: boolean | null;
  /** A client certificate that the platform has verified itself. */
  readonly certificate: ClientCertificate | null;
  /** The platform joins a repeated field by a comma without a space, so that one value cannot be told from two. */
  readonly joinsFields?: true;
  /** Why a certificate that the caller did present does not count; `certificate` is null then. */
  readonly certificateRefusal?: CredentialReason;
}

/** One request as a door received it, before anything about it is believed. */
export interface AccessRequest {
  readonly door: RequestSource;
  /** Method token as received (RFC 9110 §9.1: case-sensitive). */
  readonly method: string;
  /** Request target in origin form, raw: path and query exactly as received. */
  readonly target: string;
  /** The path that the caller asked for, where the platform has cut a stage or a base path off the target. */
  readonly calledPath?: string;
  readonly headers: HeaderFields;
  readonly hop: Hop;
  /** Set by a door that could not make out what it is asked about: the decision is then this denial. */
  readonly refused?: Reason;
  /** Whether a body comes with the message, where the adapter can tell. */
  readonly hasBody?: boolean;
  /** Reads the body ahead of the decision and keeps it for the upstream; left out where nobody here sees the body. */
  readonly readBody?: ReadBody;
  /** Calls back once the answer has left or its connection has ended, where the adapter can tell. */
  readonly whenAnswered?: (done: () => void) => void;
  /** Is told of the service's answer that is about to leave, where the adapter has a say in how it does. */
  readonly whenForwarded?: (answer: ForwardedAnswer) => void;
}

/** What an adapter may need to know of an answer of the service. */
export interface ForwardedAnswer {
  /** Without a media type of its own an answer leaves without one. */
  readonly hasType: boolean;
  /** What the caller gets instead where the body breaks before any field has left. */
  instead(): {
    readonly status: number;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string | null;
  };
}

/** Reads a body up to a limit in bytes. `stalled`: it did not come in time, or ended before its end. */
export type ReadBody = (maximumBytes: number) => Promise<Uint8Array | 'too_long' | 'stalled'>;

/** What the trust boundary made of a request: what may be believed about where it comes from. */
export interface Boundary {
  /** The message was spoken by a trusted proxy or carries a valid ingress proof. */
  readonly trustedHop: boolean;
  /** The header fields that may be believed for identity, certificates and forwarding: all of them behind a hop trusted
   * by its address, the signed ones behind an ingress proof, none otherwise. */
  readonly believed: HeaderFields;
  /** The caller's address in canonical text, or null. */
  readonly clientAddress: string | null;
  /** The address as a budget sees it: IPv4 whole, IPv6 by /64; null when there is no address. */
  readonly addressPartition: string | null;
  /** Whether the caller's own connection was TLS, as far as a believed hop tells; null when unknown. */
  readonly secure: boolean | null;
  /** Authority the caller asked for (Host, or the believed forwarded host), or null. */
  readonly host: string | null;
  readonly requestId: string;
  /** W3C trace context for the upstream: the caller's trace id, or a new one, our own span id, and whether the trace is
   * kept. */
  readonly traceparent: string;
  /** The caller's span in that trace; null where the trace is new. */
  readonly parentSpanId: string | null;
  /** The caller as named by a trusted ingress in `TGEFD_IDENTITY_HEADER`, or null. */
  readonly ingressIdentity: string | null;
}

/** What the configuration lets a challenge say (RFC 9728 §5.1, RFC 9449 §7.1). */
export interface ChallengeSettings {
  /** URL of the metadata of the protected resource, or null. */
  readonly resourceMetadata: string | null;
  /** Algorithms of proofs; null where tokens that demand one are refused. */
  readonly proofAlgorithms: readonly string[] | null;
  /** Every token must be bound to a key. */
  readonly proofsRequired: boolean;
}

export type BudgetClass = 'heavy' | 'read' | 'none';

/** Scopes that a row demands: one by name, any or all of several; null: none, any authenticated caller. */
export type ScopeDemand = string | null | { readonly any: readonly string[] } | { readonly all: readonly string[] };

/** Kinds of credentials that a row may choose among. */
export type CredentialWay = 'jwt' | 'mtls';

/** A claim that a row demands of a token: its path, and the values of which one must hold. */
export interface ClaimDemand {
  /** A claim path (`compileClaimPath`). */
  readonly path: string;
  /** `{name}` stands for the path parameter of that name, `*` at the end for any ending. */
  readonly values: readonly (string | number | boolean)[];
}

/** What a row demands of the authentication behind a token (RFC 9470). */
export interface StepUp {
  /** Classes of which the token's `acr` must be one; empty: any. */
  readonly acr: readonly string[];
  /** Longest time since `auth_time`; null: any. */
  readonly maximumAgeSeconds: number | null;
}

/** What a message of the Model Context Protocol (MCP) asks for. */
export interface McpMessage {
  /** JSON-RPC method, such as `tools/call`. */
  readonly method: string;
  /** Name of the tool or prompt, or URI of the resource; null: none that counts. */
  readonly name: string | null;
}

/** The messages of MCP that a row takes. `*` at the end of a text stands for any ending. */
export interface McpDemand {
  readonly method: string;
  /** Null: with any name, and without one. */
  readonly name: string | null;
}

/** A row of the endpoint table. */
export interface Endpoint {
  /** What the record calls it. */
  readonly action: string;
  readonly method: string;
  /** Path pattern; `{name}` stands for one non-empty segment, `{name...}` at the end for one or more segments. */
  readonly pattern: string;
  readonly scope: ScopeDemand;
  readonly budget: BudgetClass;
  /** Our own administrative endpoint: never forwarded, its scope is demanded even where `TGEFD_RBAC_ENABLED` is false. */
  readonly own: boolean;
  /** The only kinds of credentials that are looked at here; left out: every kind that the mode accepts. */
  readonly auth?: readonly CredentialWay[];
  /** The only issuers whose tokens may be used here; left out: every configured one. */
  readonly issuers?: readonly string[];
  /** Claims that all must hold. */
  readonly claims?: readonly ClaimDemand[];
  readonly stepUp?: StepUp;
  /** The row takes these messages only. */
  readonly mcp?: McpDemand;
}

/** What the endpoint table answers for a method and a canonical path. */
export type Route =
  | { readonly found: 'endpoint'; readonly endpoint: Endpoint }
  /** The message decides among several rows of one method and path, the most specific row first. */
  | { readonly found: 'by_message'; readonly rows: readonly Endpoint[]; readonly pattern: string }
  | {
      readonly found: 'other_methods';
      readonly allow: readonly string[];
      readonly pattern: string;
      /** As `Endpoint.own`. */
      readonly own: boolean;
    }
  /** `unknown`: what of a message no row takes, where a message decides. */
  | { readonly found: 'nothing'; readonly unknown?: UnknownMessage };
