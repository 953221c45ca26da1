/** As VitePress takes it. Its own type is not to be had where only the product's packages are installed. */
interface SidebarItem {
  text?: string;
  link?: string;
  collapsed?: boolean;
  items?: SidebarItem[];
}

/** Pages in the order of the sidebar. A page that stands nowhere here is refused by infra/docs/site.ts. */
export const sidebar: SidebarItem[] = [
  {
    text: 'Start',
    items: [
      { text: 'What it is', link: '/' },
      { text: 'Tutorial', link: '/tutorial' },
    ],
  },
  {
    text: 'Guides',
    link: '/guides/',
    collapsed: false,
    items: [
      {
        text: 'Deploy',
        collapsed: false,
        items: [
          { text: 'In your own application', link: '/guides/library' },
          { text: 'Cloudflare', link: '/guides/deploy-cloudflare' },
          { text: 'AWS', link: '/guides/deploy-aws' },
          { text: 'AWS with your own API', link: '/guides/aws-own-api' },
          { text: 'Containers', link: '/guides/containers' },
          { text: 'Upgrade and roll back', link: '/guides/upgrade' },
        ],
      },
      {
        text: 'Behind a proxy',
        collapsed: true,
        items: [
          { text: 'Forward authentication', link: '/proxies/forward_auth' },
          { text: 'nginx', link: '/proxies/nginx' },
          { text: 'Caddy', link: '/proxies/caddy' },
          { text: 'Traefik', link: '/proxies/traefik' },
          { text: 'Envoy', link: '/proxies/envoy' },
        ],
      },
      {
        text: 'Policy',
        collapsed: true,
        items: [
          { text: 'One policy document', link: '/guides/policy-document' },
          { text: 'Import, test, compare, try', link: '/guides/policy' },
        ],
      },
      {
        text: 'Tokens and agents',
        collapsed: true,
        items: [
          { text: 'Protect an MCP server', link: '/guides/mcp' },
          { text: 'Tokens bound to a key', link: '/guides/dpop' },
        ],
      },
      {
        text: 'Identity providers',
        collapsed: true,
        items: [
          { text: 'Auth0', link: '/guides/providers/auth0' },
          { text: 'Clerk', link: '/guides/providers/clerk' },
          { text: 'Cloudflare Access', link: '/guides/providers/cloudflare-access' },
          { text: 'Cognito', link: '/guides/providers/cognito' },
          { text: 'Entra ID', link: '/guides/providers/entra' },
          { text: 'Firebase', link: '/guides/providers/firebase' },
          { text: 'GitHub Actions', link: '/guides/providers/github' },
          { text: 'Google', link: '/guides/providers/google' },
          { text: 'Keycloak', link: '/guides/providers/keycloak' },
          { text: 'Kubernetes', link: '/guides/providers/kubernetes' },
          { text: 'Okta', link: '/guides/providers/okta' },
          { text: 'SPIFFE', link: '/guides/providers/spiffe' },
          { text: 'Supabase', link: '/guides/providers/supabase' },
          { text: 'Zitadel', link: '/guides/providers/zitadel' },
        ],
      },
      {
        text: 'Operate',
        collapsed: true,
        items: [
          { text: 'Revoke by shared signals', link: '/guides/shared-signals' },
          { text: 'Run it and find faults', link: '/guides/operate' },
          { text: 'Watch it', link: '/guides/observe' },
          { text: 'Console', link: '/guides/console' },
          { text: 'Secrets and rotation', link: '/guides/secrets' },
        ],
      },
      {
        text: 'The service behind it',
        collapsed: true,
        items: [
          { text: 'Identity assertion', link: '/guides/identity-assertion' },
          { text: 'TLS to the upstream', link: '/guides/upstream-tls' },
        ],
      },
    ],
  },
  {
    text: 'Reference',
    link: '/reference/',
    collapsed: true,
    items: [
      { text: 'Configuration', link: '/reference/configuration' },
      { text: 'Command line', link: '/reference/cli' },
      { text: 'Answers', link: '/reference/answers' },
      { text: 'Endpoint table', link: '/reference/endpoints' },
      { text: 'Endpoints of the authorizer', link: '/reference/own-endpoints' },
      { text: 'Issuers', link: '/reference/issuers' },
      { text: 'Providers', link: '/reference/providers' },
      { text: 'Event issuers', link: '/reference/event-issuers' },
      { text: 'Client certificates', link: '/reference/client-certificates' },
      { text: 'Records', link: '/reference/records' },
      { text: 'Archive of audit records', link: '/reference/audit-archive' },
      { text: 'Metrics', link: '/reference/metrics' },
      { text: 'Redis keys', link: '/reference/redis-keys' },
      { text: 'Limits of the product', link: '/reference/limits' },
      { text: 'Performance', link: '/reference/performance' },
      {
        text: 'Requirements',
        collapsed: true,
        items: [
          { text: 'Hardening checklist', link: '/reference/hardening-checklist' },
          { text: 'ASVS 5.0', link: '/reference/asvs-5.0' },
          { text: 'RFC 8725', link: '/reference/rfc8725' },
          { text: 'RFC 9700', link: '/reference/rfc9700' },
          { text: 'RFC 9449 (DPoP)', link: '/reference/rfc9449' },
          { text: 'RFC 9728 (resource metadata)', link: '/reference/rfc9728' },
          { text: 'RFC 7662 (introspection)', link: '/reference/rfc7662' },
          { text: 'RFC 9470 (step-up)', link: '/reference/rfc9470' },
          { text: 'RFC 8935 (security events)', link: '/reference/rfc8935' },
        ],
      },
    ],
  },
  {
    text: 'Explanation',
    link: '/explanation/',
    collapsed: true,
    items: [
      { text: 'Trust boundary', link: '/explanation/trust-boundary' },
      { text: 'Budgets and leases', link: '/explanation/rate-limits' },
      { text: 'Audit records and their proof', link: '/explanation/audit-proof' },
      { text: 'Threat model', link: '/explanation/threat-model' },
      {
        text: 'Decisions',
        link: '/adr/README',
        collapsed: true,
        items: [
          { text: '1 Own verification', link: '/adr/0001-own-inbound-verification' },
          { text: '2 One script', link: '/adr/0002-one-script' },
          { text: '3 No consumer group', link: '/adr/0003-no-consumer-group' },
          { text: '4 Leases', link: '/adr/0004-leases' },
          { text: '5 Strict audit', link: '/adr/0005-strict-audit' },
          { text: '6 Releases', link: '/adr/0006-releases' },
          { text: '7 Bundles of Workers', link: '/adr/0007-own-bundle' },
          { text: '8 Parts by hand', link: '/adr/0008-parts-by-hand' },
        ],
      },
    ],
  },
  { text: 'Glossary', link: '/glossary' },
];
