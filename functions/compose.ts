import { type AdmissionSettings, createAdmission } from '../lib/admit/admission.ts';
import { createFailures } from '../lib/admit/failures.ts';
import { rateLimitFields } from '../lib/admit/fields.ts';
import { createMemoryBudgets } from '../lib/admit/memory-budgets.ts';
import { createMemoryRevocations } from '../lib/admit/memory-revocations.ts';
import { createMemoryStore } from '../lib/admit/memory-store.ts';
import { budgetsFor, type QuotaSettings } from '../lib/admit/quotas.ts';
import { createRedisConnection, fetchExchange, type RedisExchange } from '../lib/admit/redis-connection.ts';
import { createRedisRevocations } from '../lib/admit/redis-revocations.ts';
import { createRedisStore } from '../lib/admit/redis-store.ts';
import type { RevocationPseudonyms, Revocations } from '../lib/admit/revocations.ts';
import type { Lease, Outbox, Source, Tail } from '../lib/audit/outbox.ts';
import { createMemoryOutbox } from '../lib/audit/outbox-memory.ts';
import { createPseudonyms, type Hmac, type Pseudonyms } from '../lib/audit/pseudonym.ts';
import { auditRecord } from '../lib/audit/record.ts';
import { createRecorder, type Recorder, type Spill } from '../lib/audit/recorder.ts';
import type { SignaturePrimitive } from '../lib/authenticate/algorithms.ts';
import { type AuthenticatorSettings, createAuthenticator } from '../lib/authenticate/authenticate.ts';
import { certificateHeaders, createCertificateReader } from '../lib/authenticate/client-certificate.ts';
import type { SharedCopy } from '../lib/authenticate/key-set-copy.ts';
import { createKeySets } from '../lib/authenticate/key-sets.ts';
import { authorize } from '../lib/authorize/authorize.ts';
import { createGrants } from '../lib/authorize/grants.ts';
import type { Config } from '../lib/config/load.ts';
import type { Secret } from '../lib/config/variables.ts';
import type { Clock, Decision, Fetch, Log, NewId, RequestContext } from '../lib/decision.ts';
import { createEnforce, type Enforce } from '../lib/enforce.ts';
import { createMetrics, type Metrics } from '../lib/observe/metrics.ts';
import { createBoundary } from '../lib/request/boundary.ts';
import { createEndpointTable, METRICS_PATH } from '../lib/request/endpoints.ts';
import { canonicalTarget } from '../lib/request/path.ts';
import { createFieldRules, upstreamFields } from '../lib/request/strip.ts';
import { type Assertions, createAssertions } from '../lib/respond/assertion.ts';
import { createCors } from '../lib/respond/cors.ts';
import { codeOf, statusOf } from '../lib/respond/denial.ts';
import { createAdministration } from './administration.ts';
import { composeEgress, createEgressWatch, type EgressWatch } from './egress.ts';
import type { ForwardAuthParts } from './forward-auth.ts';
import type { GatewayParts, Upstream } from './gateway.ts';
import { composeObservation, metricsAnswer, watchParts } from './observation.ts';
import { redisOutbox } from './redis-outbox.ts';

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
  /** One HTTP exchange with the REST face of Redis; null: over `fetch`. */
  readonly redisExchange: RedisExchange | null;
  /** Counts and tells what egress refuses, shared with the agents of a Node process; made here where absent. */
  readonly egressWatch?: EgressWatch;
  /** Quicker than Web Cryptography, where the runtime has it. */
  readonly cryptography?: { readonly verify: SignaturePrimitive; readonly hmac: Hmac };
  /** Decide on trial: spend from budgets of this process only, record nothing. */
  readonly trial?: true;
}

/** Everything that decides and answers, wired. */
export interface Composed {
  readonly config: Config;
  readonly enforce: Enforce;
  readonly gateway: GatewayParts;
  readonly forwardAuth: ForwardAuthParts | null;
  readonly cors: ReturnType<typeof createCors>;
  readonly assertions: Assertions | null;
  readonly revocations: Revocations;
  readonly pseudonyms: Pseudonyms;
  readonly outbox: (Outbox & Source & Lease & Tail) | null;
  readonly metrics: Metrics;
  /** The metrics page as it is now; asks the outbox how much it holds. */
  metricsPage(): Promise<string>;
  /** Whether a request could be decided now: what `/readyz` tells. */
  ready(): boolean;
  /** Loads what can be loaded ahead of the first request. Never rejects. */
  warm(context: RequestContext): Promise<void>;
}

const maximumFailingAddresses = 10_000;
const maximumRememberedTokens = 10_000;
const maximumMemoryBuckets = 32_768;

/** The composition root: from a configuration that holds together to wired parts, one port after the other. */
export const compose = (config: Config, runtime: Runtime): Composed => {
  const { settings, documents, authMode, algorithms } = config;
  const { clock, newId, log } = runtime;
  const watch = runtime.egressWatch ?? createEgressWatch(log);
  const egress = composeEgress(settings, { fetch: runtime.fetch, watch });
  const metrics = createMetrics();
  metrics.counterOf('tgefd_egress_refused_total', 'Calls to places that the configuration does not name.', watch.count);
  const pseudonyms = createPseudonyms({
    key: settings.auditPseudonymKey?.current ?? newId() + newId(),
    previousKeys: settings.auditPseudonymKey?.previous ? [settings.auditPseudonymKey.previous] : [],
    hmac: runtime.cryptography?.hmac,
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

  const readCertificate = createCertificateReader(
    {
      headers: certificateHeaders.filter((source) => settings.mtlsSources.includes(source)),
      subjectHeader: settings.mtlsIdentityHeader,
      scopesHeader: settings.mtlsScopesHeader,
      roleHeader: settings.mtlsRoleHeader,
    },
    { clock },
  );
  const authenticator = createAuthenticator(authenticatorSettings(config), {
    clock,
    keySets,
    secrets: sharedSecrets(config),
    signaturePrimitive: runtime.cryptography?.verify,
    readCertificate,
    grants: createGrants({
      scopesClaim: settings.jwtScopesClaim,
      roleClaim: settings.roleClaim,
      rolesClaim: settings.rolesClaim,
      roleScopes: {
        admin: settings.roleAdminScopes,
        analyst: settings.roleAnalystScopes,
        reader: settings.roleReaderScopes,
      },
      revokeScope: settings.scopeRevoke,
    }),
  });

  const quotas: QuotaSettings = {
    general: { perMinute: settings.rateLimitPerMinute, burst: settings.burstLimit, onError: settings.rateLimitOnError },
    heavy: {
      perMinute: settings.heavyRateLimitPerMinute,
      burst: settings.heavyBurstLimit,
      onError: settings.heavyRateLimitOnError,
    },
    overrides: documents.quotaOverrides,
  };
  const table = createEndpointTable(documents.endpoints);
  const { admission, revocations, outbox, breakerOpen } = composeStore(config, runtime, { pseudonyms, egress });
  const recorder = composeRecorder(config, runtime, outbox);
  const assertions = composeAssertions(config, runtime);

  const enforce = createEnforce(
    {
      authMode,
      requireTls: settings.requireTls,
      maximumBodyBytes: settings.maximumBodyBytes,
      forwards: runtime.upstream !== null || runtime.trial === true,
    },
    {
      examine: createBoundary(
        {
          trustedProxies: config.place.platform === 'worker' ? [] : documents.trustedProxies,
          ingressSecrets: both(settings.ingressSecret),
          identityHeader: settings.identityHeader,
          ingressHeaders: [settings.mtlsIdentityHeader, settings.mtlsScopesHeader, settings.mtlsRoleHeader].filter(
            (name) => name !== null,
          ),
          traceSampleRatio: settings.otelSampleRatio,
        },
        { newId },
      ),
      canonicalTarget,
      route: table.route,
      authenticate: authenticator,
      authorize: (principal, route) => authorize(principal, route, settings.rbacEnabled),
      budgetsFor: (principal, endpoint) => budgetsFor(principal, endpoint.budget, quotas),
      failures: createFailures({
        perMinute: settings.authFailureLimitPerMinute,
        maximumAddresses: maximumFailingAddresses,
      }),
      pseudonym: (kind, value) => pseudonyms.of(kind, value),
      admission,
      record: recording(recorder, pseudonyms),
    },
    { clock, newId, log, watch: composeObservation(config, { metrics, fetch: egress, clock, log }) },
  );
  const metricsPage = watchParts(metrics, { keySets, admission, recorder, outbox, breakerOpen, clock });
  const administer = createAdministration({ revocations, pseudonyms, clock });

  const fieldRules = createFieldRules({
    identityHeaders: [
      settings.identityHeader,
      settings.mtlsIdentityHeader,
      settings.mtlsScopesHeader,
      settings.mtlsRoleHeader,
    ].filter((name) => name !== null),
    credentialHeaders: ['authorization', 'x-api-key', settings.jwtHeader],
    forwardCredentials: settings.forwardCredentials,
  });
  const shared = {
    enforce,
    identityHeader: settings.identityHeader,
    assertion: assertions && ((decision: Decision) => assertions.sign(assertionFacts(decision))),
    rateLimitFields: (decision: Decision) => rateLimitFields(decision.budgets),
  };
  return {
    config,
    enforce,
    gateway: {
      ...shared,
      upstream: runtime.upstream,
      upstreamFields: (headers) => upstreamFields(headers, fieldRules),
      upstreamTimeoutMs: settings.upstreamTimeoutSeconds * 1000,
      maximumBodyBytes: settings.maximumBodyBytes,
      administer: async (decision, request) =>
        decision.path === METRICS_PATH ? metricsAnswer(await metricsPage(), decision) : administer(decision, request),
      log,
    },
    forwardAuth: settings.forwardAuth === 'off' ? null : { ...shared, proxy: settings.forwardAuth },
    cors: createCors({
      origins: settings.corsAllowedOrigins,
      methods: documents.endpoints.map(({ method }) => method),
      requestHeaders: settings.jwtHeader === 'authorization' ? [] : [settings.jwtHeader],
    }),
    assertions,
    revocations,
    pseudonyms,
    outbox,
    metrics,
    metricsPage,
    ready: () => keySets === null || keySets.state().keys > 0,
    warm: async (context) => {
      await keySets?.warm(context);
    },
  };
};

const both = <T>(secret: Secret<T> | null): T[] =>
  secret === null ? [] : secret.previous === null ? [secret.current] : [secret.current, secret.previous];

const authenticatorSettings = ({ settings, authMode, algorithms, documents }: Config): AuthenticatorSettings => {
  switch (authMode) {
    case 'none':
      return { mode: 'none' };
    case 'api_key':
      return { mode: 'api_key', keys: documents.apiKeys, scopes: settings.apiKeyScopes };
    case 'mtls':
      return { mode: 'mtls', policy: settings.mtlsPolicy === null ? null : documents.mtlsPolicy };
    case 'jwt':
      return {
        mode: 'jwt',
        header: settings.jwtHeader,
        prefix: settings.jwtBearerPrefix,
        algorithms,
        types: settings.jwtTypes.filter((type) => type !== 'absent'),
        typeMayBeAbsent: settings.jwtTypes.includes('absent'),
        issuer: settings.jwtIssuer,
        audience: settings.jwtAudience,
        clockSkewSeconds: settings.jwtClockSkewSeconds,
        maximumLifetimeSeconds: settings.jwtMaximumLifetimeSeconds || null,
        subjectClaim: settings.jwtSubClaim,
        cache: { maximumEntries: maximumRememberedTokens, maximumCharacters: 16 * 1024 * 1024 },
      };
  }
};

const sharedSecrets = ({ settings }: Config) =>
  both(settings.jwtSecret).map((secret, place) => ({
    id: place === 0 ? 'secret' : 'secret-previous',
    octets: new TextEncoder().encode(secret),
  }));

/** What is shared between isolates, in Redis, or in this process where there is none. */
const composeStore = (
  config: Config,
  runtime: Runtime,
  { pseudonyms, egress }: { readonly pseudonyms: Pseudonyms; readonly egress: Fetch },
) => {
  const { settings } = config;
  const { clock, log, random } = runtime;
  const named: RevocationPseudonyms = (kind, value) => {
    const pseudonym = pseudonyms.of(kind === 'jti' ? 'token_id' : 'identity', value);
    if (settings.auditPseudonymKey?.previous) return pseudonyms.all(kind === 'jti' ? 'token_id' : 'identity', value);
    return pseudonym instanceof Promise ? pseudonym.then((name) => [name]) : [pseudonym];
  };
  const admissionSettings: AdmissionSettings = {
    mode: settings.redisUrl ? settings.rateLimitMode : 'exact',
    emergency: settings,
    revocationOnError: settings.revocationOnError,
    revocationMaximumDelayMs: settings.revocationMaximumDelaySeconds * 1000,
    timeoutMs: settings.redisTimeoutMs,
  };
  const parts = { pseudonyms: named, clock };

  if (!settings.redisUrl || !settings.redisToken || runtime.trial) {
    const revocations = createMemoryRevocations(clock);
    const store = createMemoryStore(createMemoryBudgets({ maximumBuckets: maximumMemoryBuckets }, clock), revocations);
    const outbox = settings.auditBucket
      ? createMemoryOutbox({ maximumEntries: settings.auditStreamMaximum }, clock)
      : null;
    return {
      admission: createAdmission(admissionSettings, { store, ...parts }),
      revocations,
      outbox,
      breakerOpen: null,
    };
  }
  const rest = { url: settings.redisUrl.href, token: settings.redisToken.current };
  const exchange = runtime.redisExchange ?? fetchExchange(rest, egress);
  const connection = createRedisConnection({ timeoutMs: settings.redisTimeoutMs }, { exchange, clock, random, log });
  const store = createRedisStore(connection);
  return {
    admission: createAdmission(admissionSettings, { store, ...parts }),
    revocations: createRedisRevocations(connection, store, named),
    outbox: redisOutbox(settings, exchange, runtime.sharePromises),
    breakerOpen: connection.isOpen,
  };
};

const composeRecorder = ({ settings }: Config, runtime: Runtime, outbox: Outbox | null): Recorder =>
  createRecorder(
    {
      mode: outbox === null || runtime.trial ? 'off' : settings.auditMode,
      alarmDepth: Math.ceil(settings.auditStreamMaximum / 2),
      outboxRestMs: 1000,
    },
    {
      outbox,
      spill: runtime.spill,
      line: runtime.trial ? null : runtime.auditLine,
      clock: runtime.clock,
      log: runtime.log,
    },
  );

/** Builds and hands over the record of a decision; without a promise where every pseudonym is at hand. */
const recording = (recorder: Recorder, pseudonyms: Pseudonyms) => (decision: Decision, context: RequestContext) => {
  if (recorder.idle) return null;
  const { principal, boundary, denial } = decision;
  const identity = principal && principal.method !== 'none' ? pseudonyms.of('identity', principal.subject) : null;
  const address = boundary.addressPartition === null ? null : pseudonyms.of('address', boundary.addressPartition);
  const record = (identityName: string | null, addressName: string | null) =>
    recorder.record(
      auditRecord(decision, {
        identity: identityName,
        clientAddress: addressName,
        status: denial ? statusOf(denial) : 200,
        code: denial && codeOf(denial),
      }),
      context,
    );
  if (!(identity instanceof Promise) && !(address instanceof Promise)) return record(identity, address);
  return Promise.all([identity, address]).then(async ([one, other]) => (await record(one, other)) ?? 'recorded');
};

const composeAssertions = ({ settings, documents }: Config, { clock }: Runtime): Assertions | null => {
  const [first, ...others] = documents.assertionKeys;
  if (first === undefined || settings.upstreamUrl === null) return null;
  const audience = settings.upstreamUrl.origin;
  return createAssertions(
    { keys: [first, ...others], issuer: 'tgefd-authorizer', audience, lifetimeSeconds: 60 },
    clock,
  );
};

const assertionFacts = (decision: Decision) => ({
  decisionId: decision.id,
  subject: decision.principal?.subject ?? '',
  scopes: decision.principal?.scopes ?? [],
  authMethod: decision.authMethod,
  method: decision.method,
  path: decision.path ?? '',
});
