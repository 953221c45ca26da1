import type { AccessKeeper, RecordAccesses } from '../../audit/secret-access-records.ts';
import type { Config } from '../../config/load.ts';
import type { Problem } from '../../config/problem.ts';
import type { Resolved } from '../../config/sources.ts';
import type { RequestContext } from '../../decision/ports.ts';
import type { Platform } from '../runtime.ts';

/** What is made of a configuration, and how it takes over from what served before. */
export interface Steps<Parts> {
  /** Wires the parts. `before` is what serves now: only secrets differ from its configuration. */
  compose(config: Config, before: Parts | null): Parts;
  /** Called once the parts serve; `before` no longer does. */
  adopt(parts: Parts, before: Parts | null): void;
  /** Who keeps the records of secret readings. */
  keeper(parts: Parts): AccessKeeper | null;
  /** How long secrets are believed before they are read again; 0: for ever. */
  refreshSeconds(parts: Parts): number;
}

/** The parts of one process or isolate, from their configuration to their end. */
export interface Lifecycle<Parts> {
  /** The parts that serve, or null before `ready` has answered null. */
  serving(): Parts | null;
  /** Why the parts could not be made ready, as of the last attempt. */
  problems(): readonly Problem[];
  /**
   * Resolves secrets, loads the configuration, proves its keys, composes and adopts. Returns null once the parts serve,
   * otherwise every problem. Returns no promise when there is nothing to wait for.
   */
  ready(context: RequestContext): Outcome | Promise<Outcome>;
  /** The parts for one request: makes them ready first, and reads secrets again when it is time. Null: not ready. */
  current(context: RequestContext): Parts | null | Promise<Parts | null>;
  /** Reads secrets again now. What cannot be read or does not hold together changes nothing, and is returned. */
  renew(): Promise<Outcome>;
  /** Reads no more secrets, and waits for the reading under way. */
  close(): Promise<void>;
}

/** Null: the parts serve. */
export type Outcome = readonly Problem[] | null;

/** Everything a lifecycle remembers: on Workers, plain data that any request may use. */
export interface Life<Parts> {
  readonly platform: Platform;
  readonly steps: Steps<Parts>;
  readonly record: RecordAccesses;
  serving: { readonly parts: Parts; readonly env: Resolved['env']; lookAtMs: number } | null;
  refused: { readonly problems: readonly Problem[]; readonly retryAtMs: number } | null;
  /** The problems of the last reading, so that each is printed once. */
  said: string;
  stopLooking: (() => void) | null;
  /** The work under way, where promises may be shared. */
  underWay: Promise<unknown> | null;
  starting: Promise<Outcome> | null;
  closed: boolean;
}

/** Lets the parts serve from now on. */
export function putIntoService<Parts>(life: Life<Parts>, parts: Parts, { env }: Resolved, before: Parts | null): void {
  life.steps.adopt(parts, before);
  life.serving = { parts, env, lookAtMs: nextLookMs(life, parts) };
  life.refused = null;
}

/** When a request or invocation should read secrets again; never where a timer does, or nothing can change. */
export function nextLookMs<Parts>({ platform, steps }: Life<Parts>, parts: Parts): number {
  const { renewal, secrets, stopwatch } = platform;
  if (secrets === null || renewal.by === 'timer' || renewal.by === 'never') return Number.POSITIVE_INFINITY;
  if (renewal.by === 'invocation' && renewal.always) return 0;
  const seconds = steps.refreshSeconds(parts);
  return seconds === 0 ? Number.POSITIVE_INFINITY : stopwatch() + seconds * 1000;
}
