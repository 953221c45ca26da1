import type { Budget, Decision } from './outcome.ts';
import type { Admission, Explain, RequestContext } from './ports.ts';
import type { Authentication, AuthMethod, Principal } from './principal.ts';
import type { PathProblem, Reason } from './reason.ts';
import type { AccessRequest, Boundary, ChallengeSettings, CredentialWay, Endpoint, Route } from './request.ts';
import type { Walk } from './walk.ts';

/** A value, or the promise of one. What has nothing to wait for makes no promise. */
export type Eventually<T> = T | Promise<T>;

/** What the rooms do for a decision, each behind the smallest shape that the policy needs of it. */
export interface Steps {
  /** Which hop speaks, and what may be believed of its fields. */
  examine(
    request: AccessRequest,
    nowMs: number,
  ): Eventually<{ readonly boundary: Boundary; readonly denial: Reason | null }>;
  /** One strict canonical path. */
  canonicalTarget(target: string): { ok: true; path: string; query: string } | { ok: false; problem: PathProblem };
  route(method: string, path: string): Route;
  authenticate(
    request: AccessRequest,
    boundary: Boundary,
    context: RequestContext,
    mayFetchKeys: boolean,
    /** The only kinds of credentials that the row looks at; null: every kind that the mode accepts. */
    ways: readonly CredentialWay[] | null,
  ): Eventually<Authentication>;
  authorize(principal: Principal, route: Route, path: string | null, explain?: Explain): Reason | null;
  budgetsFor(principal: Principal, endpoint: Endpoint): readonly Budget[];
  /** Failed authentications of one address. */
  failures: {
    exhausted(addressPartition: string, nowMs: number): number | null;
    spend(addressPartition: string, nowMs: number, context: RequestContext): void;
  };
  pseudonym(kind: 'identity' | 'address', value: string): Eventually<string>;
  /** Places of one identity at the gateway; null: as many as come. */
  underWay: { enter(partition: string, nowMs: number): (() => void) | null } | null;
  admission: Admission;
  /** Present only where messages of MCP decide about rows: one step before authentication, one after it. */
  readonly byMessage?: { readonly readFields: Step; readonly readBody: Step };
  /** Present only where a policy is tried in the shadow. */
  readonly shadow?: Shadow;
  /** Writes the one record; the promise settles when it is as durable as the audit mode demands. */
  record(decision: Decision, context: RequestContext): Promise<'recorded' | 'unavailable'> | null;
}

/** A policy that is tried before it decides. The answer never depends on `compare`. */
export interface Shadow {
  /** What the second table says where it says something else than `refusal`, the authorization that was decided. */
  compare(walk: Walk, refusal: Reason | null): { readonly denial: Reason | null } | null;
  /** Whether this denial of an authenticated caller is recorded only, and the request let through. */
  spares(walk: Walk, denial: Reason): boolean;
}

export interface EnforceSettings {
  readonly authMode: AuthMethod;
  readonly challenge?: ChallengeSettings | null;
  /** Refuse callers whose own connection is known to be plain HTTP. */
  readonly requireTls: boolean;
  /** Longest declared request body, or 0 for no limit. */
  readonly maximumBodyBytes: number;
  /** Whether the gateway has somewhere to forward to; without it, only our own endpoints exist there. */
  readonly forwards: boolean;
}

/** One step: adds what it finds to the walk, and answers the denial that ends it, or null. */
export type Step = (walk: Walk) => Eventually<Reason | null>;

/** Goes on with a value: at once, or when its promise is kept. */
export function after<T, R>(value: Eventually<T>, next: (value: T) => Eventually<R>): Eventually<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
