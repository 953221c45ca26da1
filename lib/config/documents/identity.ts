import { type ApiKey, parseApiKeys } from '../../authenticate/api-key.ts';
import { parseCertificatePolicy } from '../../authenticate/certificate/certificate-policy.ts';
import { roleNames } from '../../authorize/roles.ts';
import { parseForwardClaims } from '../../respond/forwarded-claims.ts';
import { furtherRoles } from '../issuers/declared.ts';
import { type Settings, variables } from '../variables.ts';
import type { Documents } from './documents.ts';
import type { Report } from './report.ts';

/** Who may call by API key or certificate, what further roles grant, and which claims go upstream. */
export function readIdentity(
  report: Report,
): Pick<Documents, 'apiKeys' | 'roleScopes' | 'mtlsPolicy' | 'forwardClaims'> {
  const apiKeys = readApiKeys(report);
  const further = furtherRoles(report.settings.roleScopes);
  for (const problem of further.problems) report.problem(problem);
  return {
    apiKeys,
    roleScopes: further.roles,
    mtlsPolicy: readCertificatePolicy(report, Object.keys(further.roles)),
    forwardClaims: readForwardClaims(report),
  };
}

function readApiKeys(report: Report): readonly ApiKey[] {
  const { apiKey } = report.settings;
  if (!apiKey) return [];
  const { keys, problems } = parseApiKeys(apiKey);
  for (const { of, found, accepted } of problems)
    report.problem({ variable: `TGEFD_API_KEY${of === 'previous' ? '_PREVIOUS' : ''}`, found, accepted });
  return keys;
}

function readCertificatePolicy(report: Report, furtherNames: readonly string[]): Documents['mtlsPolicy'] {
  const { mtlsPolicy } = report.settings;
  if (mtlsPolicy === null) return [];
  const roles = [...roleNames, ...furtherNames.map((role) => role.toLowerCase())];
  const { policy, problems } = parseCertificatePolicy(mtlsPolicy, roles);
  for (const problem of problems) report.problem({ variable: variables.mtlsPolicy.name, ...problem });
  return policy;
}

function readForwardClaims(report: Report): Documents['forwardClaims'] {
  if (report.settings.forwardClaims === null) return [];
  const fields = configuredIdentityFields(report.settings);
  const { claims, problems } = parseForwardClaims(report.jsonOf('forwardClaims'), fields);
  for (const problem of problems) report.fault('forwardClaims', problem);
  return claims;
}

/** Fields that a trusted ingress may set, or that carry the user upstream. */
function configuredIdentityFields(settings: Settings): readonly string[] {
  const { identityHeader, mtlsIdentityHeader, mtlsScopesHeader, mtlsRoleHeader } = settings;
  return [identityHeader, mtlsIdentityHeader, mtlsScopesHeader, mtlsRoleHeader].filter((name) => name !== null);
}
