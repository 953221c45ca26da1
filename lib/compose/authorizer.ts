import type { ArchiveLock, Outbox, Source, Tail } from '../audit/outbox.ts';
import { createPseudonyms, type Pseudonyms } from '../audit/pseudonym.ts';
import type { RecorderTally } from '../audit/recorder.ts';
import { loadBalancerFields } from '../authenticate/certificate/sources/load-balancer-certificate.ts';
import { traefikField } from '../authenticate/certificate/sources/traefik-certificate.ts';
import { createAuthorize } from '../authorize/authorize.ts';
import { createShadow } from '../authorize/shadow.ts';
import type { StepUpTime } from '../authorize/step-up.ts';
import type { Config } from '../config/load.ts';
import { overdueSecrets } from '../config/rotation.ts';
import { ingressHeaders } from '../config/rules/ingress.ts';
import type { Settings } from '../config/variables.ts';
import type { Decision } from '../decision/outcome.ts';
import { createEnforce, type Enforce } from '../decision/pipeline.ts';
import type { RequestContext } from '../decision/ports.ts';
import type { Shadow } from '../decision/steps.ts';
import { composeEgress, composeRedisEgress, createEgressWatch, type EgressWatch } from '../egress/watch.ts';
import { type ConfiguredForwardAuth, createForwardAuth } from '../http/forward-auth.ts';
import { createGateway, type Gateway, type GatewayParts } from '../http/gateway.ts';
import { createProbe } from '../http/probe.ts';
import { createAdministration } from '../http/revocation-api.ts';
import type { Failures } from '../limit/failed-authentications.ts';
import { rateLimitFields } from '../limit/rate-limit-fields.ts';
import type { UnderWay } from '../limit/under-way.ts';
import { createCredentialCounter } from '../observe/credentials.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import type { SpanTally } from '../observe/traces.ts';
import { createBoundary } from '../request/boundary.ts';
import { createEndpointTable, METRICS_PATH } from '../request/endpoints/table.ts';
import { canonicalTarget } from '../request/path.ts';
import { createFieldRules, upstreamFields } from '../request/strip.ts';
import { type Assertions, createAssertions } from '../respond/assertion.ts';
import { createCors } from '../respond/cors.ts';
import { type ClaimsUpstream, compileForwardedClaims } from '../respond/forwarded-claims.ts';
import { createTransportFields } from '../respond/transport.ts';
import type { Revocations } from '../revoke/revocation.ts';
import { composeFailures } from './admit/failures.ts';
import { composeQuotas } from './admit/quotas.ts';
import { composeStore, type StoreParts } from './admit/store.ts';
import { composeUnderWay } from './admit/under-way.ts';
import { acceptedValues, composeAuthenticator } from './authenticate/authenticate.ts';
import { asksAboutTokens } from './authenticate/introspection.ts';
import { composeKeySets, type IssuerKeySets, keySetStates } from './authenticate/issuers.ts';
import { challengeSettings, composeResource } from './authenticate/proofs.ts';
import { sharedDevelopmentKey } from './development-key.ts';
import { composeObservation, metricsAnswer, watchParts } from './observe/observe.ts';
import { composeReadiness } from './observe/readiness.ts';
import { composeRecorder, recording } from './observe/record.ts';
import type { Runtime } from './runtime.ts';

/** Everything that decides and answers, wired. */
export interface Composed {
  readonly config: Config;
  readonly enforce: Enforce;
  readonly gateway: GatewayParts & { readonly answer: Gateway };
  readonly forwardAuth: ConfiguredForwardAuth | null;
  readonly cors: ReturnType<typeof createCors>;
  readonly assertions: Assertions | null;
  /** Metadata of the protected resource, or null where it has no identifier. */
  readonly resource: { readonly identifier: URL; readonly metadata: string } | null;
  readonly revocations: Revocations;
  readonly pseudonyms: Pseudonyms;
  readonly outbox: (Outbox & Source & ArchiveLock & Tail) | null;
  /** What goes on in the next composition of the same process. */
  readonly carried: {
    readonly processKey: string;
    readonly keySets: IssuerKeySets;
    readonly failures: Failures;
    readonly underWay: UnderWay | null;
    readonly store: StoreParts;
    readonly egressWatch: EgressWatch;
    readonly records: RecorderTally;
    readonly spans: SpanTally;
  };
  readonly metrics: Metrics;
  /** The metrics page as it is now; asks the outbox how much it holds. */
  metricsPage(): Promise<string>;
  /** Whether a request could be decided now: what `/readyz` tells. */
  ready(): boolean;
  /** What an operator should read beside `ready`, or null. */
  notice(): string | null;
  /** Loads what can be loaded ahead of the first request. Never rejects. */
  warm(context: RequestContext): Promise<void>;
}

/**
 * The composition root: from a configuration that holds together to wired parts, one port after the other. Where only secrets
 * differ from what was composed `before`, everything in memory that decisions rest on goes on: key sets, budgets of failed
 * authentications, leases, revocations, an outbox in memory, and what has been counted. What a secret may have opened does
 * not: verified tokens are forgotten.
 */
export function compose(config: Config, runtime: Runtime, before: Composed | null = null): Composed {
  const { settings, documents, authMode } = config;
  const { clock, newId, log } = runtime;
  const watch = runtime.egressWatch ?? before?.carried.egressWatch ?? createEgressWatch(log);
  const records = before?.carried.records ?? { stored: 0, spilled: 0, lost: 0, refused: 0 };
  const spans = before?.carried.spans ?? { lost: 0 };
  const egress = composeEgress(settings, { fetch: runtime.fetch, watch });
  const metrics = before?.metrics.next() ?? createMetrics();
  metrics.counterOf('tgefd_egress_refused_total', 'Calls to places that the configuration does not name.', watch.count);
  metrics.gauge('tgefd_shadow_until_seconds', 'Until when denials are only recorded, epoch seconds.', () =>
    settings.shadowUntil === null ? null : settings.shadowUntil / 1000,
  );
  if (runtime.linesLost)
    metrics.counterOf('tgefd_log_lines_lost_total', 'Lines that no stream and no file took.', runtime.linesLost);
  metrics.gauge(
    'tgefd_secrets_overdue',
    'Secrets older than TGEFD_ROTATION_MAX_AGE_DAYS, as far as X_ROTATED_AT tells.',
    () => overdueSecrets(config, clock()),
  );
  const used = createCredentialCounter(metrics);
  const processKey = before?.carried.processKey ?? newId() + newId();
  const pseudonyms = createPseudonyms({
    key: settings.auditPseudonymKey?.current ?? sharedDevelopmentKey(settings) ?? processKey,
    previousKeys: settings.auditPseudonymKey?.previous ? [settings.auditPseudonymKey.previous] : [],
    hmac: runtime.cryptography?.hmac,
  });

  const keySets = before ? before.carried.keySets : composeKeySets(config, runtime, egress);
  const { authenticate, readCertificate } = composeAuthenticator(
    config,
    runtime,
    keySets,
    used,
    [...acceptedValues(settings.auditPseudonymKey), processKey],
    egress,
  );

  const budgetsFor = composeQuotas(config, metrics);
  const table = createEndpointTable(documents.endpoints);
  const stepUpTime = { clock, clockSkewSeconds: settings.jwtClockSkewSeconds };
  const shadow = composeShadow(config, stepUpTime);
  const store = composeStore(
    config,
    runtime,
    { pseudonyms, egress: composeRedisEgress(settings, { fetch: runtime.fetch, watch }), used },
    before?.carried.store ?? null,
  );
  const failures =
    before?.carried.failures ?? composeFailures(settings.authFailureLimitPerMinute, store.reportFailures);
  const { admission, revocations, outbox, breakerOpen } = store;
  const recorder = composeRecorder(config, runtime, outbox, records);
  const assertions = composeAssertions(config, runtime);

  const examine = createBoundary(
    {
      trustedProxies: config.place.platform === 'worker' ? [] : documents.trustedProxies,
      ingressSecrets: acceptedValues(settings.ingressSecret),
      identityHeader: settings.identityHeader,
      ingressHeaders: [
        ...[settings.mtlsIdentityHeader, settings.mtlsScopesHeader, settings.mtlsRoleHeader],
        ...(settings.mtlsSources.includes('alb') ? Object.values(loadBalancerFields) : []),
        ...(settings.mtlsSources.includes('traefik') ? [traefikField] : []),
      ].filter((name) => name !== null),
      traceSampleRatio: settings.otelSampleRatio,
    },
    { newId, used },
  );
  const probe = settings.doctorSecret
    ? createProbe({
        secrets: acceptedValues(settings.doctorSecret),
        examine,
        readCertificate,
        configured: [...ingressHeaders(settings).keys()],
        clock,
      })
    : null;

  const underWay = before ? before.carried.underWay : composeUnderWay(config);
  const enforce = createEnforce(
    {
      authMode,
      challenge: challengeSettings(config),
      requireTls: settings.requireTls,
      maximumBodyBytes: settings.maximumBodyBytes,
      forwards: runtime.upstream !== null || runtime.trial === true,
    },
    {
      examine,
      canonicalTarget,
      route: table.route,
      authenticate,
      authorize: createAuthorize(documents.endpoints, settings.rbacEnabled, stepUpTime),
      budgetsFor: (principal, endpoint) => budgetsFor(principal, endpoint.budget),
      failures,
      pseudonym: (kind, value) => pseudonyms.of(kind, value),
      underWay,
      admission,
      ...(shadow === null ? {} : { shadow }),
      record: recording(config, recorder, pseudonyms),
    },
    {
      clock,
      stopwatch: runtime.stopwatch ?? clock,
      newId,
      log,
      watch: composeObservation(config, { metrics, spans, fetch: egress, clock, log }),
    },
  );
  const asks = asksAboutTokens(config);
  const readiness = composeReadiness(settings, {
    keySets,
    asksAboutTokens: asks,
    recorder,
    outbox,
    warmUp: store.warmUp,
  });
  const metricsPage = watchParts(metrics, {
    keySets: () => keySetStates(config, keySets),
    admission,
    recorder,
    outbox,
    breakerOpen,
    clock,
  });
  const administer = createAdministration({ revocations, pseudonyms, clock });

  const fieldRules = createFieldRules({
    identityHeaders: [
      settings.identityHeader,
      settings.mtlsIdentityHeader,
      settings.mtlsScopesHeader,
      settings.mtlsRoleHeader,
    ].filter((name) => name !== null),
    credentialHeaders: ['authorization', 'x-api-key', 'dpop', settings.jwtHeader],
    forwardCredentials: settings.forwardCredentials,
  });
  const forwardedClaims = compileForwardedClaims(documents.forwardClaims);
  const shared = {
    enforce,
    forwardedClaims,
    identityHeader: settings.identityHeader,
    assertion:
      assertions &&
      ((decision: Decision) =>
        assertions.sign(assertionFacts(decision, forwardedClaims?.(decision.principal) ?? null))),
    rateLimitFields: (decision: Decision) => [
      ...rateLimitFields(decision.budgets),
      ...shadowFields(decision, settings),
    ],
    transportFields: createTransportFields(settings.environment === 'production'),
    probe,
  };
  const gateway: GatewayParts = {
    ...shared,
    upstream: runtime.upstream,
    upstreamFields: (headers) => upstreamFields(headers, fieldRules),
    upstreamTimeoutMs: settings.upstreamTimeoutSeconds * 1000,
    idleTimeoutMs: settings.idleTimeoutSeconds * 1000,
    maximumBodyBytes: settings.maximumBodyBytes,
    administer: async (decision, request) =>
      decision.path === METRICS_PATH ? metricsAnswer(await metricsPage(), decision) : administer(decision, request),
    log,
  };
  const proxy = settings.forwardAuth;
  return {
    config,
    enforce,
    gateway: { ...gateway, answer: createGateway(gateway) },
    forwardAuth: proxy === 'off' ? null : { proxy, check: createForwardAuth({ ...shared, proxy }) },
    cors: createCors({
      origins: settings.corsAllowedOrigins,
      methods: documents.endpoints.map(({ method }) => method),
      requestHeaders: settings.jwtHeader === 'authorization' ? [] : [settings.jwtHeader],
    }),
    assertions,
    resource: composeResource(config),
    revocations,
    pseudonyms,
    outbox,
    carried: { processKey, keySets, failures, underWay, store, egressWatch: watch, records, spans },
    metrics,
    metricsPage,
    notice: () => shadowNotice(settings, clock()),
    ...readiness,
  };
}

/** The trial of a second table and of denials that are only recorded; null where nothing is tried. */
function composeShadow({ settings, documents }: Config, stepUpTime: StepUpTime): Shadow | null {
  const { shadowEndpoints: endpoints } = documents;
  const table = endpoints && { endpoints, route: createEndpointTable(endpoints).route };
  return createShadow({ table, rbacEnabled: settings.rbacEnabled, untilMs: settings.shadowUntil, stepUpTime });
}

function shadowNotice({ shadowUntil }: Settings, nowMs: number): string | null {
  return shadowUntil !== null && nowMs < shadowUntil
    ? `denials are only recorded until ${new Date(shadowUntil).toISOString()}`
    : null;
}

/** Tells a trusted hop that denials are only recorded at present. */
function shadowFields({ atMs, boundary }: Decision, { shadowUntil }: Settings): readonly (readonly [string, string])[] {
  return shadowUntil !== null && atMs < shadowUntil && boundary.trustedHop ? [['x-tgefd-shadow', '1']] : [];
}

function composeAssertions({ settings, documents }: Config, { clock }: Runtime): Assertions | null {
  const [first, ...others] = documents.assertionKeys;
  if (first === undefined || settings.upstreamUrl === null) return null;
  const audience = settings.upstreamUrl.origin;
  return createAssertions(
    { keys: [first, ...others], issuer: 'tgefd-authorizer', audience, lifetimeSeconds: 60 },
    clock,
  );
}

function assertionFacts(decision: Decision, upstream: ClaimsUpstream | null) {
  return {
    decisionId: decision.id,
    subject: decision.principal?.subject ?? '',
    issuer: decision.principal?.issuer ?? null,
    claims: upstream?.claims ?? null,
    scopes: decision.principal?.scopes ?? [],
    authMethod: decision.authMethod,
    method: decision.method,
    path: decision.path ?? '',
  };
}
