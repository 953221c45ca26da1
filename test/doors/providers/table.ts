import type { ProviderName } from '../../../lib/authenticate/providers/provider.ts';

/** One token of a provider and the answer that every door owes it. */
export interface ProviderCase {
  readonly name: string;
  /** Changes to the claims of the provider's ordinary token; undefined leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** `/scoped` demands the scope `probe`, `/open` any authenticated caller (default: the provider's). */
  readonly target?: '/scoped' | '/open';
  readonly lifetimeSeconds?: number;
  /** Signs with the key of another provider, which has the same `kid`. */
  readonly signedBy?: ProviderName;
  readonly status: 200 | 401 | 403;
  /** Subject that goes upstream, where it is not that of the ordinary token. */
  readonly user?: string;
}

export interface ProviderTokens {
  /** Members of the row of `TGEFD_ISSUERS` besides `provider` and `keys`. */
  readonly row: Readonly<Record<string, unknown>>;
  readonly algorithm: 'RS256' | 'ES256';
  /** Changes to the published key; undefined leaves a member out. */
  readonly jwk?: Readonly<Record<string, unknown>>;
  readonly target: '/scoped' | '/open';
  readonly lifetimeSeconds: number;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly user: string;
  readonly cases: readonly ProviderCase[];
}

const tenant = '11111111-2222-4333-8444-555555555555';
const foreignTenant = '99999999-2222-4333-8444-555555555555';
const accessAudience = '32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228';

/** What each provider really sends: an ordinary token that is allowed, and near misses that are refused. */
export const providerTokens: Readonly<Record<ProviderName, ProviderTokens>> = {
  auth0: {
    row: { issuer: 'https://acme.auth0.com/', audience: 'https://api.example', scopes: 'permissions' },
    algorithm: 'RS256',
    target: '/scoped',
    lifetimeSeconds: 86_400,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://acme.auth0.com/',
      sub: 'auth0|1',
      aud: ['https://api.example', 'https://acme.auth0.com/userinfo'],
      azp: 'client-1',
      scope: 'openid profile',
      permissions: ['probe'],
    },
    user: 'auth0|1',
    cases: [
      { name: 'the issuer without its slash', claims: { iss: 'https://acme.auth0.com' }, status: 401 },
      { name: 'an ID token', claims: { aud: 'client-1', permissions: undefined }, status: 401 },
      {
        name: 'a scope that the client asked for, with permissions switched off',
        claims: { scope: 'probe', permissions: undefined },
        status: 403,
      },
      { name: 'a role beside named permissions', claims: { permissions: undefined, roles: ['admin'] }, status: 403 },
      { name: 'a lifetime of more than a day', lifetimeSeconds: 86_401, status: 401 },
    ],
  },
  clerk: {
    row: {
      issuer: 'https://acme.clerk.accounts.dev',
      audience: 'https://app.example',
      role_scopes: { 'org:prober': ['probe'] },
    },
    algorithm: 'RS256',
    target: '/scoped',
    lifetimeSeconds: 60,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://acme.clerk.accounts.dev',
      sub: 'user_1',
      azp: 'https://app.example',
      org_role: 'org:prober',
      org_permissions: [],
    },
    user: 'user_1',
    cases: [
      {
        name: 'a permission of the organisation',
        claims: { org_role: 'org:member', org_permissions: ['probe'] },
        status: 200,
      },
      { name: 'the origin of another application', claims: { azp: 'https://evil.example' }, status: 401 },
      { name: 'no origin', claims: { azp: undefined }, status: 401 },
      { name: 'another audience beside the right origin', claims: { aud: 'https://other.example' }, status: 401 },
      { name: 'another role', claims: { org_role: 'org:member' }, status: 403 },
    ],
  },
  'cloudflare-access': {
    row: { issuer: 'https://acme.cloudflareaccess.com', audience: accessAudience },
    algorithm: 'RS256',
    target: '/open',
    lifetimeSeconds: 86_400,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://acme.cloudflareaccess.com',
      sub: '7335d417-61da-459d-899c-0a01c76a2f94',
      aud: [accessAudience],
      email: 'a@example.com',
      type: 'app',
    },
    user: '7335d417-61da-459d-899c-0a01c76a2f94',
    cases: [
      {
        name: 'a service token',
        claims: { sub: '', email: undefined, common_name: 'e367826f.access' },
        status: 200,
        user: 'e367826f.access',
      },
      { name: 'nobody', claims: { sub: '', common_name: '' }, status: 401 },
      { name: 'the tag of another application', claims: { aud: ['0'.repeat(64)] }, status: 401 },
      { name: 'another team', claims: { iss: 'https://evil.cloudflareaccess.com' }, status: 401 },
    ],
  },
  cognito: {
    row: {
      issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc',
      audience: '7abc',
      role_scopes: { probers: ['probe'] },
    },
    algorithm: 'RS256',
    target: '/scoped',
    lifetimeSeconds: 3600,
    header: {},
    claims: {
      iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc',
      sub: 'c-1',
      client_id: '7abc',
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin',
      'cognito:groups': ['probers'],
    },
    user: 'c-1',
    cases: [
      {
        name: 'an ID token',
        claims: { token_use: 'id', aud: '7abc', client_id: undefined, scope: undefined },
        status: 401,
      },
      { name: 'another app client', claims: { client_id: '8def' }, status: 401 },
      {
        name: 'another pool',
        claims: { iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_xyz' },
        status: 401,
      },
      { name: 'another group', claims: { 'cognito:groups': ['others'] }, status: 403 },
    ],
  },
  entra: {
    row: {
      issuer: [`https://login.microsoftonline.com/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`],
      audience: ['app-id', 'api://app-id'],
      role_scopes: { 'Task.Prober': ['probe'] },
    },
    algorithm: 'RS256',
    jwk: { alg: undefined },
    target: '/scoped',
    lifetimeSeconds: 86_700,
    header: { typ: 'JWT' },
    claims: {
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      sub: 'e-1',
      aud: 'app-id',
      tid: tenant,
      scp: 'probe',
      ver: '2.0',
    },
    user: 'e-1',
    cases: [
      { name: 'a role of an application', claims: { scp: undefined, roles: ['Task.Prober'] }, status: 200 },
      { name: 'a role beside other scopes', claims: { scp: 'User.Read', roles: ['Task.Prober'] }, status: 200 },
      {
        name: 'a token of version 1',
        claims: { iss: `https://sts.windows.net/${tenant}/`, aud: 'api://app-id', ver: '1.0' },
        status: 200,
      },
      {
        name: 'another tenant',
        claims: { iss: `https://login.microsoftonline.com/${foreignTenant}/v2.0`, tid: foreignTenant },
        status: 401,
      },
      { name: 'our issuer with another tenant in tid', claims: { tid: foreignTenant }, status: 401 },
      { name: 'a token for Microsoft Graph', claims: { aud: '00000003-0000-0000-c000-000000000000' }, status: 401 },
      { name: 'another scope', claims: { scp: 'User.Read' }, status: 403 },
    ],
  },
  firebase: {
    row: { issuer: 'https://securetoken.google.com/acme', audience: 'acme', role_scopes: { prober: ['probe'] } },
    algorithm: 'RS256',
    target: '/scoped',
    lifetimeSeconds: 3600,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://securetoken.google.com/acme',
      sub: 'f-1',
      aud: 'acme',
      role: 'prober',
      firebase: { sign_in_provider: 'password' },
    },
    user: 'f-1',
    cases: [
      { name: 'another project', claims: { iss: 'https://securetoken.google.com/evil', aud: 'evil' }, status: 401 },
      { name: 'our issuer with the audience of another project', claims: { aud: 'evil' }, status: 401 },
      { name: 'no custom claim', claims: { role: undefined }, status: 403 },
    ],
  },
  github: {
    row: {
      issuer: 'https://token.actions.githubusercontent.com',
      audience: 'https://api.example',
      require: { repository_owner_id: 42, sub: 'repo:octo-org/*' },
    },
    algorithm: 'RS256',
    target: '/open',
    lifetimeSeconds: 300,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://token.actions.githubusercontent.com',
      sub: 'repo:octo-org/app:ref:refs/heads/main',
      aud: 'https://api.example',
      repository: 'octo-org/app',
      repository_owner: 'octo-org',
      repository_owner_id: '42',
    },
    user: 'repo:octo-org/app:ref:refs/heads/main',
    cases: [
      {
        name: 'a stranger who asks for our audience',
        claims: {
          sub: 'repo:evil/app:ref:refs/heads/main',
          repository: 'evil/app',
          repository_owner: 'evil',
          repository_owner_id: '666',
        },
        status: 401,
      },
      {
        name: 'a name that begins like ours',
        claims: { sub: 'repo:octo-org-evil/app:ref:refs/heads/main' },
        status: 401,
      },
      { name: 'no owner', claims: { repository_owner_id: undefined }, status: 401 },
      { name: 'another audience', claims: { aud: 'https://github.com/octo-org' }, status: 401 },
    ],
  },
  google: {
    row: {
      issuer: 'https://accounts.google.com',
      audience: '1-a.apps.googleusercontent.com',
      require: { hd: 'acme.example' },
    },
    algorithm: 'RS256',
    target: '/open',
    lifetimeSeconds: 3600,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://accounts.google.com',
      sub: '1098',
      aud: '1-a.apps.googleusercontent.com',
      azp: '1-a.apps.googleusercontent.com',
      hd: 'acme.example',
      email: 'a@acme.example',
    },
    user: '1098',
    cases: [
      { name: 'the issuer without its scheme', claims: { iss: 'accounts.google.com' }, status: 200 },
      { name: 'a private account', claims: { hd: undefined, email: 'a@gmail.com' }, status: 401 },
      { name: 'the domain of somebody else', claims: { hd: 'evil.example' }, status: 401 },
      { name: 'another client', claims: { aud: '2-b.apps.googleusercontent.com' }, status: 401 },
    ],
  },
  keycloak: {
    row: { issuer: 'https://kc.example/realms/acme', audience: 'my-api', role_scopes: { prober: ['probe'] } },
    algorithm: 'RS256',
    target: '/scoped',
    lifetimeSeconds: 300,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://kc.example/realms/acme',
      sub: 'k-1',
      aud: ['my-api', 'account'],
      azp: 'web',
      typ: 'Bearer',
      scope: 'openid profile email',
      realm_access: { roles: ['offline_access', 'Prober'] },
    },
    user: 'k-1',
    cases: [
      {
        name: 'a role of the client',
        claims: { realm_access: undefined, resource_access: { 'my-api': { roles: ['prober'] } } },
        status: 200,
      },
      { name: 'no audience, but our client', claims: { aud: undefined, azp: 'my-api' }, status: 200 },
      { name: 'an ID token', claims: { typ: 'ID' }, status: 401 },
      { name: 'the audience that every token has', claims: { aud: 'account', azp: 'my-api' }, status: 401 },
      { name: 'no audience and another client', claims: { aud: undefined }, status: 401 },
      { name: 'another realm', claims: { iss: 'https://kc.example/realms/other' }, status: 401 },
      {
        name: 'a role of another client',
        claims: { realm_access: undefined, resource_access: { other: { roles: ['prober'] } } },
        status: 403,
      },
      { name: 'roles that are null', claims: { realm_access: { roles: null }, roles: null, role: 3 }, status: 403 },
    ],
  },
  kubernetes: {
    row: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      audience: 'api.example',
      require: { sub: 'system:serviceaccount:web:*' },
    },
    algorithm: 'RS256',
    target: '/open',
    lifetimeSeconds: 3607,
    header: {},
    claims: {
      iss: 'https://kubernetes.default.svc.cluster.local',
      sub: 'system:serviceaccount:web:shop',
      aud: ['api.example', 'other.example'],
      'kubernetes.io': { namespace: 'web', serviceaccount: { name: 'shop', uid: 'u' } },
    },
    user: 'system:serviceaccount:web:shop',
    cases: [
      { name: 'another namespace', claims: { sub: 'system:serviceaccount:evil:shop' }, status: 401 },
      { name: 'a token for the API server', claims: { aud: ['https://kubernetes.default.svc'] }, status: 401 },
      { name: 'a lifetime of a year', lifetimeSeconds: 31_536_000, status: 401 },
    ],
  },
  okta: {
    row: { issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://default' },
    algorithm: 'RS256',
    target: '/scoped',
    lifetimeSeconds: 3600,
    header: {},
    claims: {
      iss: 'https://acme.okta.com/oauth2/default',
      sub: 'o@acme.example',
      aud: 'api://default',
      cid: '0oa',
      scp: ['openid', 'probe'],
      ver: 1,
    },
    user: 'o@acme.example',
    cases: [
      { name: 'an ID token', claims: { aud: '0oa', scp: undefined }, status: 401 },
      { name: 'the server of the organisation', claims: { iss: 'https://acme.okta.com' }, status: 401 },
      { name: 'scopes in one entry', claims: { scp: ['openid probe'] }, status: 403 },
    ],
  },
  spiffe: {
    row: { issuer: 'spiffe://acme.example', audience: 'api' },
    algorithm: 'ES256',
    jwk: { use: 'jwt-svid', alg: undefined },
    target: '/open',
    lifetimeSeconds: 300,
    header: { typ: 'JWT' },
    claims: { sub: 'spiffe://acme.example/web', aud: ['api'] },
    user: 'spiffe://acme.example/web',
    cases: [
      { name: 'another trust domain', claims: { sub: 'spiffe://evil.example/web' }, status: 401 },
      { name: 'a trust domain that begins like ours', claims: { sub: 'spiffe://acme.example.evil/web' }, status: 401 },
      { name: 'the trust domain itself', claims: { sub: 'spiffe://acme.example' }, status: 401 },
      {
        name: 'another trust domain that names ours as its issuer',
        claims: { iss: 'spiffe://acme.example', sub: 'spiffe://evil.example/web' },
        status: 401,
      },
      { name: 'another audience', claims: { aud: ['other'] }, status: 401 },
    ],
  },
  supabase: {
    row: {
      issuer: 'https://acme.supabase.co/auth/v1',
      audience: 'authenticated',
      role_scopes: { authenticated: ['probe'] },
    },
    algorithm: 'ES256',
    target: '/scoped',
    lifetimeSeconds: 3600,
    header: { typ: 'JWT' },
    claims: {
      iss: 'https://acme.supabase.co/auth/v1',
      sub: 's-1',
      aud: 'authenticated',
      role: 'authenticated',
      app_metadata: { provider: 'email' },
    },
    user: 's-1',
    cases: [
      { name: 'the public key of the project as a caller', claims: { role: 'anon' }, status: 401 },
      { name: 'another project', claims: { iss: 'https://evil.supabase.co/auth/v1' }, status: 401 },
      {
        name: 'a role that users write themselves',
        claims: { role: 'service_role', user_metadata: { role: 'authenticated' } },
        status: 403,
      },
    ],
  },
  zitadel: {
    row: { issuer: 'https://acme.zitadel.cloud', audience: '2345', role_scopes: { prober: ['probe'] } },
    algorithm: 'RS256',
    target: '/scoped',
    lifetimeSeconds: 43_200,
    header: {},
    claims: {
      iss: 'https://acme.zitadel.cloud',
      sub: 'z-1',
      aud: ['2345', 'other'],
      'urn:zitadel:iam:org:project:roles': { prober: { '1': 'acme.example' } },
    },
    user: 'z-1',
    cases: [
      { name: 'another project', claims: { aud: ['6789'] }, status: 401 },
      {
        name: 'another role',
        claims: { 'urn:zitadel:iam:org:project:roles': { reader: { '1': 'acme.example' } } },
        status: 403,
      },
      { name: 'roles that are a text', claims: { 'urn:zitadel:iam:org:project:roles': '{"prober":{}}' }, status: 403 },
    ],
  },
};

/** What holds for the tokens of every provider. */
export const commonCases = (other: ProviderName): readonly ProviderCase[] => [
  { name: 'signed by another provider whose key has the same id', signedBy: other, status: 401 },
  { name: 'expired', lifetimeSeconds: -300, status: 401 },
  { name: 'two issuers', claims: { iss: ['https://acme.auth0.com/', 'https://kc.example/realms/acme'] }, status: 401 },
  { name: 'another audience', claims: { aud: 'nobody' }, status: 401 },
  { name: 'a link to keys of its own', header: { jku: 'https://evil.example/keys', kid: 'unknown' }, status: 401 },
];
