/** What a decision is handed: clock, log, fetch, context and the other ports. Types only. */

import type { AdmissionAnswer, AdmissionQuestion, Decision, Stage } from './outcome.ts';

/**
 * Step 5 as one port: is the credential revoked, and do all budgets have a token left? At most one trip to a shared
 * store. A revoked credential spends nothing; a request that one budget refuses spends from none. Answers without a
 * promise when nothing had to be asked. Never throws: an outage is an answer.
 */
export interface Admission {
  /** False while nothing is revoked: the handles of the credential need not be worked out. Left out: it always looks. */
  looksForRevocation?(): boolean;
  admit(question: AdmissionQuestion, context: RequestContext): AdmissionAnswer | Promise<AdmissionAnswer>;
}

/** What a decision may use of the request it belongs to. On Workers a promise belongs to its request: nothing here may be
 * kept in module scope. */
export interface RequestContext {
  /** Let a promise finish after the answer has left (`waitUntil`). */
  defer(promise: Promise<unknown>): void;
  /** Present only where somebody asked how a decision comes about (the CLI's `explain`). */
  readonly explain?: Explain;
}

/**
 * Told at each step of a decision what was found, in the contract's order. Nothing secret is ever told (no token, no
 * signature, no key), but facts may hold text that the caller chose (`kid`, `iss`): escape it before printing.
 */
export type Explain = (
  step: string,
  finding: string,
  facts?: Readonly<Record<string, string | number | boolean | null>>,
) => void;

/** Who looks on at one decision, for metrics and traces. Must not throw. */
export interface DecisionObserver {
  /** A stage has just ended; it began where the one before it did. */
  mark(stage: Stage): void;
  /** The decision stands; how its record fared is known later. */
  decided(decision: Decision, recorded: Promise<'recorded' | 'unavailable'> | null, context: RequestContext): void;
  /** The answer's status is known, after the upstream's where it was asked (`upstreamMs`: until its answer began). */
  answered(decision: Decision, status: number, upstreamMs: number | null, context: RequestContext): void;
}

/** Milliseconds since the epoch. Handed in; lib never reads a clock itself. */
export type Clock = () => number;

/** A fresh, unguessable, time-ordered identifier of `[A-Za-z0-9._-]{1,128}`. */
export type NewId = () => string;

/** Where operational events go, one JSON line each. Facts hold no credential, no raw identity and no caller's text. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  event: string,
  facts?: Readonly<Record<string, string | number | boolean | null>>,
) => void;

/** The part of `fetch` that lib uses. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** What goes to the upstream: origin-form target, fields and body, all chosen by us. */
export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: ReadableStream<Uint8Array> | null;
  /** Length of the body as the caller declared it, or null. */
  readonly length: number | null;
  /** The caller asks to switch to WebSocket (RFC 6455 §4.1). */
  readonly upgrade: 'websocket' | null;
  readonly signal: AbortSignal;
}

/** Sends one request to the one upstream; follows no redirect, decodes nothing, rejects when no answer begins. */
export type Upstream = (request: UpstreamRequest) => Promise<Response>;
