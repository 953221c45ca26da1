import type { Hmac } from '../audit/pseudonym.ts';
import type { Spill } from '../audit/recorder.ts';
import type { SecretAccessRecord } from '../audit/schema.ts';
import type { VerifyChain } from '../authenticate/certificate/sources/traefik-certificate.ts';
import type { SharedCopy } from '../authenticate/jwks/key-set-copy.ts';
import type { SignaturePrimitive } from '../authenticate/jwt/algorithms.ts';
import type { Config } from '../config/load.ts';
import type { Problem } from '../config/problem.ts';
import type { Place } from '../config/rules/check.ts';
import type { Resolved } from '../config/sources.ts';
import type { Secret } from '../config/variable.ts';
import type { Clock, Fetch, Log, NewId, Upstream } from '../decision/ports.ts';
import type { CredentialUsed } from '../decision/principal.ts';
import type { EgressWatch } from '../egress/watch.ts';
import type { RedisClient } from '../redis/client.ts';
import type { RedisExchange } from '../redis/exchange.ts';

/** What a runtime hands in: everything that lib must not reach for itself. */
export interface Runtime {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** Monotonic milliseconds, for durations: nobody can set it back. Absent: the clock. */
  readonly stopwatch?: () => number;
  readonly fetch: Fetch;
  /** Uniform in [0, 1), for jitter only. */
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Whether one request may await a promise that another made; never on Workers. */
  readonly sharePromises: boolean;
  /** Where instances leave a key set for each other, by a name; null: each asks the issuers itself. */
  readonly sharedKeySets: ((name: string) => SharedCopy) | null;
  /** Reads a text file; null where there are none. */
  readonly readFile: ((path: string) => Promise<string>) | null;
  readonly upstream: Upstream | null;
  /** Where audit records go as lines, or null. */
  readonly auditLine: ((line: string) => void) | null;
  /** Lines that no stream and no file took, since the start; absent where nobody counts them. */
  readonly linesLost?: () => number;
  readonly spill: Spill | null;
  /** HTTP exchanges with the REST face of Redis, by token; null: over `fetch`. */
  readonly redisExchange: ((token: string) => RedisExchange) | null;
  /** Redis over TCP, where the configuration asks for it and the runtime can. */
  readonly redisOverTcp?: ((secret: () => Secret<string> | null, used: CredentialUsed) => RedisClient) | null;
  /** Counts and tells what egress refuses, shared with the agents of a Node process; made here where absent. */
  readonly egressWatch?: EgressWatch;
  /** Quicker than Web Cryptography, where the runtime has it. */
  readonly cryptography?: { readonly verify: SignaturePrimitive; readonly hmac: Hmac };
  /** Verifies client certificates that an ingress passes on unverified; null where there is no authority for them. */
  readonly verifyChain?: VerifyChain | null;
  /** Decide on trial: spend from budgets of this process only, record nothing. */
  readonly trial?: true;
}

/** Reads the secrets that the environment only names: mounted files and secret stores. */
export interface SecretReader {
  /** Reads every secret again. */
  resolve(): Promise<Resolved>;
}

/**
 * When secrets are read again. `timer`: the platform calls back by itself. `request`: one request in each interval starts
 * a reading behind its answer. `invocation`: one invocation in each interval waits for a reading (`always`: each one does).
 * `never`: the process ends before a secret could change.
 */
export type Renewal =
  | {
      readonly by: 'timer';
      /** Calls `look` after a change, and in each interval (0: never). Returns what stops that. */
      start(intervalMs: number, look: () => void): () => void;
    }
  | { readonly by: 'request' }
  | { readonly by: 'invocation'; readonly always?: true }
  | { readonly by: 'never' };

/** What the lifecycle needs to know of the platform it runs on. */
export interface Platform {
  readonly place: Place;
  /** The environment that configuration is read from. Secrets may stand elsewhere. */
  readonly env: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  /** Milliseconds from any fixed instant; never turned back. */
  readonly stopwatch: () => number;
  readonly newId: NewId;
  readonly log: Log;
  /** Whether one request may await a promise that another made; never on Workers. */
  readonly sharePromises: boolean;
  /** Null where every secret stands in the environment: then nothing is awaited for them. */
  readonly secrets: SecretReader | null;
  readonly renewal: Renewal;
  /** Who reads secrets, in the records of those readings; null where there are no such records. */
  readonly component: SecretAccessRecord['component'] | null;
  /** Where records of secret readings go as lines, or null. */
  readonly accessLine: ((line: string) => void) | null;
  /** Problems that only this platform can find, such as unusable TLS files. `config` is null when it is invalid itself. */
  problemsOf(config: Config | null): readonly Problem[];
  /** Prints the problems that keep the process from serving. May end the process. */
  fatal(problems: readonly Problem[]): void;
}

/** A platform that decides requests. */
export interface GatewayPlatform extends Platform {
  /** What the composition root is handed. Called once for each configuration that comes into force. */
  runtime(config: Config): Runtime;
}
