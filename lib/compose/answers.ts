import type { Config } from '../config/load.ts';
import type { Decision } from '../decision/outcome.ts';
import type { Enforce } from '../decision/pipeline.ts';
import { type ConfiguredForwardAuth, createForwardAuth } from '../http/forward-auth.ts';
import { createGateway, type Gateway, type GatewayParts } from '../http/gateway.ts';
import type { Probe } from '../http/probe.ts';
import { rateLimitFields } from '../limit/rate-limit-fields.ts';
import { createFieldRules, upstreamFields } from '../request/strip.ts';
import { type Assertions, createAssertions } from '../respond/assertion.ts';
import { type Cors, createCors } from '../respond/cors.ts';
import { type ClaimsUpstream, compileForwardedClaims } from '../respond/forwarded-claims.ts';
import { createTransportFields } from '../respond/transport.ts';
import type { Runtime } from './runtime.ts';
import { shadowFields } from './shadow.ts';

/** Everything that turns a decision into an answer. */
export interface Answers {
  readonly gateway: GatewayParts & { readonly answer: Gateway };
  readonly forwardAuth: ConfiguredForwardAuth | null;
  readonly cors: Cors;
  readonly assertions: Assertions | null;
}

export function composeAnswers(
  config: Config,
  runtime: Runtime,
  parts: {
    readonly enforce: Enforce;
    readonly probe: Probe | null;
    readonly administer: GatewayParts['administer'];
  },
): Answers {
  const { settings, documents } = config;
  const assertions = composeAssertions(config, runtime);
  const shared = composeShared(config, assertions, parts);
  const rules = fieldRules(config);
  const gateway: GatewayParts = {
    ...shared,
    upstream: runtime.upstream,
    upstreamFields: (headers) => upstreamFields(headers, rules),
    upstreamTimeoutMs: settings.upstreamTimeoutSeconds * 1000,
    idleTimeoutMs: settings.idleTimeoutSeconds * 1000,
    maximumBodyBytes: settings.maximumBodyBytes,
    readsMessages: documents.endpoints.some(({ mcp }) => mcp !== undefined),
    administer: parts.administer,
    log: runtime.log,
  };
  const proxy = settings.forwardAuth;
  return {
    gateway: { ...gateway, answer: createGateway(gateway) },
    forwardAuth: proxy === 'off' ? null : { proxy, check: createForwardAuth({ ...shared, proxy }) },
    cors: createCors({
      origins: settings.corsAllowedOrigins,
      methods: documents.endpoints.map(({ method }) => method),
      requestHeaders: [
        ...(settings.jwtHeader === 'authorization' ? [] : [settings.jwtHeader]),
        ...settings.corsAllowedHeaders,
      ],
    }),
    assertions,
  };
}

/** What the gateway and forward-auth have in common. */
function composeShared(
  { settings, documents }: Config,
  assertions: Assertions | null,
  { enforce, probe }: { readonly enforce: Enforce; readonly probe: Probe | null },
) {
  const forwardedClaims = compileForwardedClaims(documents.forwardClaims);
  const sign = (signing: Assertions) => (decision: Decision) =>
    signing.sign(assertionFacts(decision, forwardedClaims?.(decision.principal) ?? null));
  return {
    enforce,
    forwardedClaims,
    identityHeader: settings.identityHeader,
    assertion: assertions && sign(assertions),
    rateLimitFields: (decision: Decision) => {
      const shadow = shadowFields(decision, settings);
      return shadow.length === 0
        ? rateLimitFields(decision.budgets)
        : [...rateLimitFields(decision.budgets), ...shadow];
    },
    transportFields: createTransportFields(settings.environment === 'production'),
    probe,
  };
}

function fieldRules({ settings }: Config) {
  const { identityHeader, mtlsIdentityHeader, mtlsScopesHeader, mtlsRoleHeader } = settings;
  return createFieldRules({
    identityHeaders: [identityHeader, mtlsIdentityHeader, mtlsScopesHeader, mtlsRoleHeader].filter(
      (name) => name !== null,
    ),
    credentialHeaders: ['authorization', 'x-api-key', 'dpop', settings.jwtHeader],
    forwardCredentials: settings.forwardCredentials,
  });
}

function composeAssertions({ settings, documents }: Config, { clock }: Runtime): Assertions | null {
  const [first, ...others] = documents.assertionKeys;
  if (first === undefined || settings.upstreamUrl === null) return null;
  const audience = settings.upstreamUrl.origin;
  return createAssertions(
    {
      keys: [first, ...others],
      issuer: 'tgefd-authorizer',
      audience,
      lifetimeSeconds: 60,
      profile: settings.assertionProfile,
    },
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
