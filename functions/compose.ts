import type { Requester } from '@upstash/redis';
import { rateLimitFields } from '../lib/admit/fields.ts';
import { createFailures } from '../lib/admit/failures.ts';
import { budgetsFor } from '../lib/admit/quotas.ts';
import { createMemoryOutbox } from '../lib/audit/outbox-memory.ts';
import { createRedisOutbox } from '../lib/audit/outbox-redis.ts';
import { createPseudonyms } from '../lib/audit/pseudonym.ts';
import { auditRecord } from '../lib/audit/record.ts';
import { createRecorder, type Spill } from '../lib/audit/recorder.ts';
import { type AuthenticatorSettings, createAuthenticator } from '../lib/authenticate/authenticate.ts';
import type { SharedCopy } from '../lib/authenticate/key-set-copy.ts';
import { createKeySets } from '../lib/authenticate/key-sets.ts';
import { authorize } from '../lib/authorize/authorize.ts';
import { createGrants } from '../lib/authorize/grants.ts';
import type { Config } from '../lib/config/load.ts';
import type { Clock, Decision, Fetch, Log, NewId } from '../lib/decision.ts';
import { createEgress } from '../lib/egress.ts';
import { createEnforce } from '../lib/enforce.ts';
import { createBoundary } from '../lib/request/boundary.ts';
import { createEndpointTable } from '../lib/request/endpoints.ts';
import { canonicalTarget } from '../lib/request/path.ts';
import { createFieldRules, upstreamFields } from '../lib/request/strip.ts';
import { createAssertions } from '../lib/respond/assertion.ts';
import { createCors } from '../lib/respond/cors.ts';
import { codeOf, statusOf } from '../lib/respond/denial.ts';
import type { ForwardAuthParts } from './forward-auth.ts';
import type { GatewayParts, Upstream } from './gateway.ts';

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
}

/** Everything an HTTP runtime serves, wired. */
export interface Composed {
  readonly config: Config;
  readonly enforce: Enforce;
  readonly gateway: GatewayParts;
  readonly forwardAuth: ForwardAuthParts | null;
  readonly cors: ReturnType<typeof createCors>;
  readonly assertions: Assertions | null;
  readonly keySets: ManagedKeySets | null;
  readonly metrics: Metrics;
  /** Whether a request could be decided now: what `/readyz` tells. */
  ready(): boolean;
}

const maximumFailingAddresses = 10_000;
const maximumRememberedTokens = 10_000;

/** The composition root: from a configuration that holds together to wired parts, one port after the other. */
export const compose = (config: Config, runtime: Runtime): Composed => {
  const { settings, documents, authMode, algorithms } = config;
  const { clock, newId, log } = runtime;
  const egress = createEgress({ allowedHosts: allowedHosts(config), deadlineMs: 30_000 }, runtime.fetch);
  const pseudonyms = createPseudonyms({
    key: settings.auditPseudonymKey?.current ?? newId() + newId(),
    previousKeys: settings.auditPseudonymKey?.previous ? [settings.auditPseudonymKey.previous] : [],
  });

  const keySets =
    authMode === 'jwt' && settings.jwksUrl
      ? createKeySets(
          {
            issuer: settings.jwtIssuer,
            url: settings.jwksUrl.href,
            algorithms,
            ttlSeconds: settings.jwksTtlSeconds,
            maxStaleSeconds: settings.jwksMaxStaleSeconds,
            timeoutSeconds: settings.jwksTimeoutSeconds,
            maxAttempts: settings.jwksMaxAttempts,
            backoffSeconds: settings.jwksBackoffSeconds,
            maxBackoffSeconds: settings.jwksMaxBackoffSeconds,
          },
          {
            fetch: egress,
            clock,
            log,
            random: runtime.random,
            sleep: runtime.sleep,
            sharePromises: runtime.sharePromises,
            ...(runtime.sharedKeySet ? { shared: runtime.sharedKeySet } : {}),
          },
        )
      : null;
