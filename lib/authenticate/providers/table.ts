import type { Provider, ProviderName } from './provider.ts';

/** Scope claims that count where nothing else is said: the first that a token has. */
export const usualScopeClaims = ['scope', 'scopes', 'scp'] as const;

/** Role claims that count where nothing else is said. */
export const usualRoleClaims = ['role', 'roles'] as const;

const oneDaySeconds = 86_400;

const usual = {
  algorithms: ['RS256'],
  maximumLifetimeSeconds: null,
  audienceClaim: null,
  subject: ['sub'],
  scopes: usualScopeClaims,
  roles: usualRoleClaims,
  grants: 'first',
  required: {},
  keySetPath: null,
  keySetHosts: [],
  spellings: [],
  strangersUnless: [],
} as const;

/**
 * What each provider's tokens look like, from the providers' own documents. `docs/reference/providers.md` is written from
 * this table. Adding a provider is one entry here, a guide, and its tokens in the test table.
 */
export const providers: Readonly<Record<ProviderName, Provider>> = {
  auth0: {
    ...usual,
    title: 'Auth0',
    issuer: 'https://TENANT.auth0.com/',
    audience: 'identifier of the API',
    maximumLifetimeSeconds: oneDaySeconds,
    // With RBAC on, `permissions` says what was granted and `scope` only what the client asked for.
    scopes: ['permissions', 'scope'],
  },
  clerk: {
    ...usual,
    title: 'Clerk',
    issuer: 'https://INSTANCE.clerk.accounts.dev',
    audience: 'origin of the application, such as `https://app.example`',
    audienceClaim: 'azp',
    scopes: ['org_permissions'],
    roles: ['org_role'],
    grants: 'union',
  },
  'cloudflare-access': {
    ...usual,
    title: 'Cloudflare Access',
    issuer: 'https://TEAM.cloudflareaccess.com',
    audience: 'application audience tag (64 hexadecimal digits)',
    maximumLifetimeSeconds: oneDaySeconds,
    // A service token has an empty `sub`, and its client id in `common_name`.
    subject: ['sub', 'common_name'],
    keySetPath: '/cdn-cgi/access/certs',
  },
  cognito: {
    ...usual,
    title: 'Amazon Cognito',
    issuer: 'https://cognito-idp.REGION.amazonaws.com/POOL',
    audience: 'id of the app client',
    audienceClaim: 'client_id',
    scopes: ['scope'],
    roles: ['cognito:groups'],
    grants: 'union',
    required: { token_use: ['access'] },
  },
  entra: {
    ...usual,
    title: 'Microsoft Entra ID',
    issuer: 'https://login.microsoftonline.com/TENANT/v2.0',
    audience: 'application id (v2), or `api://…` (v1)',
    maximumLifetimeSeconds: 86_700,
    scopes: ['scp'],
    roles: ['roles'],
    grants: 'union',
    keySetHosts: ['login.microsoftonline.com', 'login.windows.net'],
    strangersUnless: ['tid'],
  },
  firebase: {
    ...usual,
    title: 'Firebase Authentication',
    issuer: 'https://securetoken.google.com/PROJECT',
    audience: 'project id',
    keySetHosts: ['www.googleapis.com'],
  },
  github: {
    ...usual,
    title: 'GitHub Actions',
    issuer: 'https://token.actions.githubusercontent.com',
    audience: 'whatever the workflow asks for',
    strangersUnless: [
      'repository',
      'repository_id',
      'repository_owner',
      'repository_owner_id',
      'enterprise_id',
      'job_workflow_ref',
      'sub',
    ],
  },
  google: {
    ...usual,
    title: 'Google',
    issuer: 'https://accounts.google.com',
    audience: 'OAuth client id',
    keySetHosts: ['www.googleapis.com'],
    spellings: ['https://accounts.google.com', 'accounts.google.com'],
    strangersUnless: ['hd', 'email', 'sub'],
  },
  keycloak: {
    ...usual,
    title: 'Keycloak',
    issuer: 'https://HOST/realms/REALM',
    audience: 'client id of the API, put there by an audience mapper',
    audienceClaim: 'azp',
    roles: ['realm_access.roles'],
    // `scope` is in every token, so that roles would never count otherwise.
    grants: 'union',
    required: { typ: ['Bearer', 'DPoP'] },
  },
  kubernetes: {
    ...usual,
    title: 'Kubernetes service accounts',
    issuer: 'https://kubernetes.default.svc.cluster.local',
    audience: 'audience of the projected token',
    algorithms: ['RS256', 'ES256'],
    // The API server adds seven seconds to one hour.
    maximumLifetimeSeconds: 3607,
    strangersUnless: ['sub', '/kubernetes.io/namespace', '/kubernetes.io/serviceaccount/name'],
  },
  okta: {
    ...usual,
    title: 'Okta',
    issuer: 'https://ORG.okta.com/oauth2/default',
    audience: 'audience of the authorization server, such as `api://default`',
    scopes: ['scp'],
  },
  spiffe: {
    ...usual,
    title: 'SPIFFE',
    issuer: 'spiffe://TRUST-DOMAIN',
    audience: 'audience that the workload asks for',
    algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
  },
  supabase: {
    ...usual,
    title: 'Supabase',
    issuer: 'https://PROJECT.supabase.co/auth/v1',
    audience: '`authenticated`',
    algorithms: ['ES256', 'RS256'],
    roles: ['role'],
    required: { role: ['authenticated', 'service_role'] },
  },
  zitadel: {
    ...usual,
    title: 'Zitadel',
    issuer: 'https://INSTANCE.zitadel.cloud',
    audience: 'project id',
    maximumLifetimeSeconds: 43_200,
    roles: ['urn:zitadel:iam:org:project:roles'],
    grants: 'union',
  },
};
