import { hex, sha256, utf8 } from '../../codec/digest.ts';
import type { Config } from '../load.ts';

/** Settings beside the table that change who may do what. None of them is a secret. */
const DECIDING = [
  'rbacEnabled',
  'jwtIssuer',
  'jwtAudience',
  'jwtAllowedAlgorithms',
  'jwtTypes',
  'jwtMaximumLifetimeSeconds',
  'jwtSubClaim',
  'jwtScopesClaim',
  'roleClaim',
  'rolesClaim',
  'roleAdminScopes',
  'roleAnalystScopes',
  'roleReaderScopes',
  'apiKeyScopes',
  'issuers',
  'roleScopes',
  'jwtRequiredClaims',
  'jwtAudienceClaim',
  'jwtGrants',
  'provider',
  'rateLimitPerMinute',
  'burstLimit',
  'heavyRateLimitPerMinute',
  'heavyBurstLimit',
  'plans',
  'planClaim',
  'shadowEndpoints',
  'shadowUntil',
] as const;

/**
 * The hash under which records name the rules that decided: the effective endpoint table, the issuers, the grants and
 * the budgets. Two configurations that decide alike have the same hash, in whatever order their rows stand. Secrets and
 * deployment settings are left out.
 *
 * @param config - a configuration in force.
 * @returns the first 32 digits of a SHA-256, in lower-case hexadecimal.
 */
export async function policyHash({ settings, documents, ways }: Config): Promise<string> {
  const rows = documents.endpoints.map((row) => stable({ ...row })).sort();
  const all = settings as unknown as Readonly<Record<string, unknown>>;
  const deciding = DECIDING.map((key) => [key, all[key] ?? null]);
  const text = stable([ways, rows, deciding, documents.mtlsPolicy, documents.quotaOverrides, documents.forwardClaims]);
  return hex(await sha256(utf8(text))).slice(0, 32);
}

/** JSON with the members of every object in the order of their names. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) && !(member instanceof URL)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
