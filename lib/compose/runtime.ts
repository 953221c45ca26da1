import type { Hmac } from '../audit/pseudonym.ts';
import type { Spill } from '../audit/recorder.ts';
import type { SharedCopy } from '../authenticate/jwks/key-set-copy.ts';
import type { SignaturePrimitive } from '../authenticate/jwt/algorithms.ts';
import type { Clock, Fetch, Log, NewId, Upstream } from '../decision/ports.ts';
import type { EgressWatch } from '../egress/watch.ts';
import type { RedisExchange } from '../redis/connection.ts';

/** What a runtime hands in: everything that lib must not reach for itself. */
export interface Runtime {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly fetch: Fetch;
  /** Uniform in [0, 1), for jitter only. */
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Whether one request may await a promise that another made; never on Workers. */
  readonly sharePromises: boolean;
  readonly sharedKeySet: SharedCopy | null;
  readonly upstream: Upstream | null;
  /** Where audit records go as lines, or null. */
  readonly auditLine: ((line: string) => void) | null;
  readonly spill: Spill | null;
  /** HTTP exchanges with the REST face of Redis, by token; null: over `fetch`. */
  readonly redisExchange: ((token: string) => RedisExchange) | null;
  /** Counts and tells what egress refuses, shared with the agents of a Node process; made here where absent. */
  readonly egressWatch?: EgressWatch;
  /** Quicker than Web Cryptography, where the runtime has it. */
  readonly cryptography?: { readonly verify: SignaturePrimitive; readonly hmac: Hmac };
  /** Decide on trial: spend from budgets of this process only, record nothing. */
  readonly trial?: true;
}
