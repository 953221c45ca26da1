import { tgefdRoleScopes, tgefdScopes } from '../../../presets/tgefd.ts';
import { boolean, claimPath, document, scope, scopes } from '../../kinds.ts';
import { setting, settingByEnvironment } from '../../variable.ts';

/** Chapter “Scopes and roles” of the configuration. */
export const scopesAndRoles = {
  rbacEnabled: settingByEnvironment({
    name: 'TGEFD_RBAC_ENABLED',
    kind: boolean,
    fallback: {
      production: true as boolean,
      development: false as boolean,
    },
    meaning: 'Whether an endpoint requires its scope.',
  }),
  scopeDiscover: setting({
    name: 'TGEFD_SCOPE_DISCOVER',
    kind: scope,
    fallback: tgefdScopes.discover,
    meaning: 'Scope of the discover endpoints.',
  }),
  scopeEvaluate: setting({
    name: 'TGEFD_SCOPE_EVALUATE',
    kind: scope,
    fallback: tgefdScopes.evaluate,
    meaning: 'Scope of the evaluate endpoints.',
  }),
  scopeMetrics: setting({
    name: 'TGEFD_SCOPE_METRICS',
    kind: scope,
    fallback: tgefdScopes.metrics,
    meaning: 'Scope of the metrics endpoints.',
  }),
  scopeJobs: setting({
    name: 'TGEFD_SCOPE_JOBS',
    kind: scope,
    fallback: tgefdScopes.jobs,
    meaning: 'Scope of the jobs endpoint.',
  }),
  scopeRevoke: setting({
    name: 'TGEFD_SCOPE_REVOKE',
    kind: scope,
    fallback: 'revoke',
    meaning: 'Scope of `/_authorizer/revocations`. `*` does not include it, except through the admin role.',
  }),
  roleClaim: setting({
    name: 'TGEFD_ROLE_CLAIM',
    kind: claimPath,
    fallback: 'role',
    meaning: 'Claim with roles. Its values and those of `TGEFD_ROLES_CLAIM` count together.',
  }),
  rolesClaim: setting({
    name: 'TGEFD_ROLES_CLAIM',
    kind: claimPath,
    fallback: 'roles',
    meaning: 'Claim with roles: a string, a list, or an object whose members are the roles.',
  }),
  roleScopes: setting({
    name: 'TGEFD_ROLE_SCOPES',
    member: 'role_scopes',
    kind: document('a JSON object from the name of a role to a list of scopes'),
    fallback: null,
    meaning: 'Scopes of further roles, besides the three roles below. Names compare in lower case.',
  }),
  roleAdminScopes: setting({
    name: 'TGEFD_ROLE_ADMIN_SCOPES',
    kind: scopes,
    fallback: tgefdRoleScopes.admin,
    meaning: 'Scopes of the admin role.',
  }),
  roleAnalystScopes: setting({
    name: 'TGEFD_ROLE_ANALYST_SCOPES',
    kind: scopes,
    fallback: tgefdRoleScopes.analyst,
    meaning: 'Scopes of the analyst role.',
  }),
  roleReaderScopes: setting({
    name: 'TGEFD_ROLE_READER_SCOPES',
    kind: scopes,
    fallback: tgefdRoleScopes.reader,
    meaning: 'Scopes of the reader role.',
  }),
} as const;
