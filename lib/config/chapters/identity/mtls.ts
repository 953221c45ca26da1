import { document, headerName, integer, oneOf, text, words } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “mTLS” of the configuration. */
export const mtls = {
  mtlsIdentityHeader: setting({
    name: 'TGEFD_MTLS_IDENTITY_HEADER',
    kind: headerName,
    fallback: 'x-ssl-client-subject',
    meaning: 'Header in which a trusted ingress sends the verified subject of the certificate.',
  }),
  mtlsSources: setting({
    name: 'TGEFD_MTLS_SOURCES',
    kind: words(
      '`client_cert`, `xfcc`, `nginx`, `subject`, `alb`, `traefik`',
      /^(client_cert|xfcc|nginx|subject|alb|traefik)$/,
    ),
    fallback: ['client_cert', 'xfcc', 'nginx', 'subject'] as readonly string[],
    meaning:
      'Headers of a trusted ingress that may hold a certificate: `Client-Cert` (RFC 9440), Envoy’s XFCC, nginx’s `ssl-client-*`, the subject header (`TGEFD_MTLS_IDENTITY_HEADER`). An AWS load balancer in verify mode (`alb`) and Traefik (`traefik`) count only if listed. List only headers that your ingress overwrites.',
  }),
  xfccHops: setting({
    name: 'TGEFD_XFCC_HOPS',
    kind: integer(1, 10),
    fallback: 1,
    meaning:
      'Number of trusted hops that append to Envoy’s `x-forwarded-client-cert`. The element that the farthest hop wrote is the certificate of the caller, counted from the right. A field with fewer elements is refused.',
  }),
  mtlsCaFile: setting({
    name: 'TGEFD_MTLS_CA_FILE',
    only: 'node',
    kind: text('the path of a file'),
    fallback: null,
    meaning:
      'CA certificates (PEM) that verify the certificates in Traefik’s `x-forwarded-tls-client-cert`. Read at the start.',
  }),
  mtlsIdentity: setting({
    name: 'TGEFD_MTLS_IDENTITY',
    kind: oneOf('name', 'dn'),
    fallback: 'name',
    meaning:
      'Name of the caller that goes upstream. `name`: the first of its URI, DNS and e-mail alternative names, its common name and its whole subject. `dn`: the whole subject. Budgets, records and revocations always distinguish callers by name, kind of name and subject.',
  }),
  mtlsScopesHeader: setting({
    name: 'TGEFD_MTLS_SCOPES_HEADER',
    kind: headerName,
    fallback: null,
    meaning: 'Header in which a trusted ingress sends the scopes of the certificate.',
  }),
  mtlsRoleHeader: setting({
    name: 'TGEFD_MTLS_ROLE_HEADER',
    kind: headerName,
    fallback: null,
    meaning: 'Header in which a trusted ingress sends the roles of the certificate.',
  }),
  mtlsPolicy: setting({
    name: 'TGEFD_MTLS_POLICY',
    member: 'mtls',
    kind: document('a JSON array of `{"subject"|"san"|"cn"|"ou"|"issuer"|"thumbprint", "scopes"?, "roles"?}`'),
    fallback: null,
    meaning:
      'Rules that give scopes or roles to certificates. All attributes of a rule must match; spacing and order of distinguished names do not matter. `san` may end in `/*` for SPIFFE IDs. With a policy, a certificate that no rule matches is refused (403) everywhere.',
  }),
} as const;
