import { type ApiKey, parseApiKeys } from '../authenticate/api-key.ts';
import { type CertificatePolicy, parseCertificatePolicy } from '../authenticate/certificate/certificate-policy.ts';
import { roleNames } from '../authorize/roles.ts';
import { parseStrictJson } from '../codec/strict-json.ts';
import type { Endpoint } from '../decision/request.ts';
import { parseQuotaOverrides, type QuotaOverride } from '../limit/plans/overrides.ts';
import { type Plan, parsePlans } from '../limit/plans/plans.ts';
import { parseExporterHeaders } from '../observe/exporter-headers.ts';
import { tgefdEndpoints } from '../presets/tgefd.ts';
import { type AddressRange, parseCidrs } from '../request/addresses.ts';
import type { EndpointRow } from '../request/endpoints/row-schema.ts';
import { mergeEndpoints, parseEndpointRows } from '../request/endpoints/rows.ts';
import { ownEndpoints } from '../request/endpoints/table.ts';
import { type AssertionKey, parseAssertionKey } from '../respond/assertion-key.ts';
import { type ForwardedClaim, parseForwardClaims } from '../respond/forwarded-claims.ts';
import { furtherRoles } from './issuers/declared.ts';
import type { Problem } from './problem.ts';
import { type SettingKey, type Settings, variables } from './variables.ts';

/** Variables whose text is a document of its own, read by the room that owns its form. */
export interface Documents {
  /** The whole endpoint table: the contract's rows, the operator's, and our own. */
  readonly endpoints: readonly Endpoint[];
  /** The table of `TGEFD_SHADOW_ENDPOINTS`, whole; null where there is none. */
  readonly shadowEndpoints: readonly Endpoint[] | null;
  readonly trustedProxies: readonly AddressRange[];
  /** Signing key first, the previous one after it; empty where none is configured. */
  readonly assertionKeys: readonly AssertionKey[];
  /** Keys of manifests: the one that signs first, then one that only verifies, perhaps public; empty where none is configured. */
  readonly auditSigningKeys: readonly AssertionKey[];
  readonly apiKeys: readonly ApiKey[];
  readonly mtlsPolicy: CertificatePolicy;
  /** Claims that go upstream, each in a field of its own. */
  readonly forwardClaims: readonly ForwardedClaim[];
  readonly quotaOverrides: readonly QuotaOverride[];
  /** Scopes of further roles, for every issuer and for certificates. */
  readonly roleScopes: Readonly<Record<string, readonly string[]>>;
  readonly plans: ReadonlyMap<string, Plan>;
  /** Header fields of every export of spans. */
  readonly exporterHeaders: Readonly<Record<string, string>>;
}

type JsonSetting = 'endpoints' | 'shadowEndpoints' | 'rateLimitOverrides' | 'forwardClaims' | 'plans';

/** Reads every document of the configuration; gives one problem for each fault. */
export function readDocuments(settings: Settings): {
  readonly documents: Documents;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const report = (key: SettingKey, found: string, suffix = '') =>
    problems.push({ variable: variables[key].name + suffix, found, accepted: variables[key].kind.accepts });

  const jsonOf = (key: JsonSetting, absent = '[]'): unknown => {
    const document = parseStrictJson(settings[key] ?? absent);
    if (document === undefined) report(key, 'malformed JSON, or a member given twice');
    return document ?? JSON.parse(absent);
  };

  const rows = parseEndpointRows(jsonOf('endpoints'));
  for (const problem of rows.problems) report('endpoints', problem);
  const shadow = settings.shadowEndpoints === null ? null : parseEndpointRows(jsonOf('shadowEndpoints'));
  for (const problem of shadow?.problems ?? []) report('shadowEndpoints', problem);

  const proxies = parseCidrs(settings.trustedProxies);
  for (const problem of proxies.problems) report('trustedProxies', problem);

  const signingKeys = (key: 'assertionKey' | 'auditSigningKey'): AssertionKey[] => {
    const given = [
      [settings[key]?.current, ''],
      [settings[key]?.previous, '_PREVIOUS'],
    ] as const;
    return given.flatMap(([text, suffix]) => {
      if (text == null) return [];
      const parsed = parseAssertionKey(text, key === 'auditSigningKey' && suffix !== '');
      if (parsed.ok) return [parsed.key];
      report(key, parsed.problem, suffix);
      return [];
    });
  };
  const assertionKeys = signingKeys('assertionKey');
  const auditSigningKeys = signingKeys('auditSigningKey');

  if (settings.issuerUrl && assertionKeys[0] && assertionKeys[0].algorithm !== 'ES256')
    problems.push({
      variable: variables.assertionKey.name,
      found: `a key for ${assertionKeys[0].algorithm}`,
      accepted: 'with TGEFD_ISSUER_URL a private JWK for ES256, since clouds take no other',
    });

  const keys = settings.apiKey ? parseApiKeys(settings.apiKey) : { keys: [], problems: [] };
  for (const { of, found, accepted } of keys.problems)
    problems.push({ variable: `TGEFD_API_KEY${of === 'previous' ? '_PREVIOUS' : ''}`, found, accepted });

  const further = furtherRoles(settings.roleScopes);
  problems.push(...further.problems);
  const roles = [...roleNames, ...Object.keys(further.roles).map((role) => role.toLowerCase())];
  const policy =
    settings.mtlsPolicy === null ? { policy: [], problems: [] } : parseCertificatePolicy(settings.mtlsPolicy, roles);
  for (const problem of policy.problems) problems.push({ variable: variables.mtlsPolicy.name, ...problem });

  const overrides = parseQuotaOverrides(jsonOf('rateLimitOverrides'));
  for (const problem of overrides.problems) report('rateLimitOverrides', problem);

  const forwarded =
    settings.forwardClaims === null
      ? { claims: [], problems: [] }
      : parseForwardClaims(jsonOf('forwardClaims'), configuredIdentityFields(settings));
  for (const problem of forwarded.problems) report('forwardClaims', problem);

  const plans = parsePlans(jsonOf('plans', '{}'));
  for (const problem of plans.problems) report('plans', problem);
  if (plans.problems.length === 0) problems.push(...planProblems(settings, plans.plans, overrides.overrides));

  const exporter = settings.otelHeaders && parseExporterHeaders(settings.otelHeaders.current);
  if (exporter && !exporter.ok) report('otelHeaders', exporter.problem);

  return {
    documents: {
      endpoints: endpointsOf(settings, rows.rows),
      shadowEndpoints: shadow && endpointsOf(settings, shadow.rows),
      trustedProxies: proxies.ranges,
      assertionKeys,
      auditSigningKeys,
      apiKeys: keys.keys,
      mtlsPolicy: policy.policy,
      forwardClaims: forwarded.claims,
      quotaOverrides: overrides.overrides,
      roleScopes: further.roles,
      plans: plans.plans,
      exporterHeaders: exporter?.ok ? exporter.headers : {},
    },
    problems,
  };
}

/** Fields that a trusted ingress may set, or that carry the user upstream. */
function configuredIdentityFields(settings: Settings): readonly string[] {
  const { identityHeader, mtlsIdentityHeader, mtlsScopesHeader, mtlsRoleHeader } = settings;
  return [identityHeader, mtlsIdentityHeader, mtlsScopesHeader, mtlsRoleHeader].filter((name) => name !== null);
}

/** The preset's rows with the operator's over them, and our own. */
function endpointsOf(settings: Settings, rows: readonly EndpointRow[]): readonly Endpoint[] {
  const { scopeDiscover, scopeEvaluate, scopeJobs, scopeMetrics, scopeRevoke } = settings;
  const preset =
    settings.preset === 'none'
      ? []
      : tgefdEndpoints({ discover: scopeDiscover, evaluate: scopeEvaluate, jobs: scopeJobs, metrics: scopeMetrics });
  const own = ownEndpoints({ revoke: scopeRevoke, metrics: scopeMetrics }, settings.metricsEnabled);
  return [...mergeEndpoints(preset, rows), ...own];
}

/** What the table of plans, the claim and the overrides demand of each other. */
function planProblems(
  settings: Settings,
  plans: ReadonlyMap<string, Plan>,
  overrides: readonly QuotaOverride[],
): readonly Problem[] {
  const problems: Problem[] = [];
  const problem = (key: SettingKey, found: string, accepted: string) =>
    problems.push({ variable: variables[key].name, found, accepted });
  const named = overrides.flatMap((override) => ('plan' in override ? [override.plan] : []));
  if (named.some((plan) => !plans.has(plan)))
    problem('rateLimitOverrides', 'a `plan` that is not in the table', 'plans of TGEFD_PLANS');
  if (settings.planClaim !== null && plans.size === 0)
    problem('planClaim', 'a claim', 'a claim only beside TGEFD_PLANS with at least one plan');
  if (plans.size > 0 && settings.planClaim === null && named.length === 0)
    problem('plans', 'plans that nobody can have', 'plans beside TGEFD_PLAN_CLAIM, or a `plan` in an override');
  return problems;
}
