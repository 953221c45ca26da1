import { document, headerName, integer, oneOf, text, words } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “mTLS” of the configuration. */
export const mtls = {
  mtlsIdentityHeader: setting({
    name: 'TGEFD_MTLS_IDENTITY_HEADER',
    kind: headerName,
    fallback: 'x-ssl-client-subject',
    meaning: 'Header in which a trusted ingress gives the verified certificate subject.',
  }),
  mtlsSources: setting({
    name: 'TGEFD_MTLS_SOURCES',
    kind: words(
      '`client_cert`, `xfcc`, `nginx`, `subject`, `alb`, `traefik`',
      /^(client_cert|xfcc|nginx|subject|alb|traefik)$/,
    ),
    fallback: ['client_cert', 'xfcc', 'nginx', 'subject'] as readonly string[],
    meaning:
      'Headers of a trusted ingress that may carry a certificate: RFC 9440 `Client-Cert`, Envoy’s XFCC, nginx’s `ssl-client-*`, the subject header (`TGEFD_MTLS_IDENTITY_HEADER`), and only when listed an AWS load balancer in verify mode (`alb`) and Traefik (`traefik`). List only those your ingress overwrites.',
  }),
  xfccHops: setting({
    name: 'TGEFD_XFCC_HOPS',
    kind: integer(1, 10),
    fallback: 1,
    meaning:
      'How many trusted hops append to Envoy’s `x-forwarded-client-cert`. The caller’s certificate is the element of the farthest of them, counted from the right; fewer elements are refused.',
  }),
  mtlsCaFile: setting({
    name: 'TGEFD_MTLS_CA_FILE',
    only: 'node',
    kind: text('the path of a file'),
    fallback: null,
    meaning:
      'Authorities in PEM against which certificates of Traefik’s `x-forwarded-tls-client-cert` are verified here. Read at the start.',
  }),
  mtlsIdentity: setting({
    name: 'TGEFD_MTLS_IDENTITY',
    kind: oneOf('name', 'dn'),
    fallback: 'name',
    meaning:
      'What goes upstream of a certificate: `name`, the first of its URI, DNS and e-mail alternative names, its common name and its whole subject; or `dn`, the whole subject. Budgets, records and revocations always tell callers apart by name, kind of name and subject.',
  }),
  mtlsScopesHeader: setting({
    name: 'TGEFD_MTLS_SCOPES_HEADER',
    kind: headerName,
    fallback: null,
    meaning: 'Header in which a trusted ingress gives the scopes of the certificate.',
  }),
  mtlsRoleHeader: setting({
    name: 'TGEFD_MTLS_ROLE_HEADER',
    kind: headerName,
    fallback: null,
    meaning: 'Header in which a trusted ingress gives the roles of the certificate.',
  }),
  mtlsPolicy: setting({
    name: 'TGEFD_MTLS_POLICY',
    member: 'mtls',
    kind: document('a JSON array of `{"subject"|"san"|"cn"|"ou"|"issuer"|"thumbprint", "scopes"?, "roles"?}`'),
    fallback: null,
    meaning:
      'Scopes or roles of certificates by their attributes, all of which must match. Spacing and order of distinguished names do not count; `san` may end in `/*` for SPIFFE IDs. With a policy, a certificate that no rule maps is refused (403) everywhere.',
  }),
} as const;
