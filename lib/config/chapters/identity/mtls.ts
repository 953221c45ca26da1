import { document, headerName, oneOf, words } from '../../kinds.ts';
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
    kind: words('`client_cert`, `xfcc`, `nginx`, `subject`', /^(client_cert|xfcc|nginx|subject)$/),
    fallback: ['client_cert', 'xfcc', 'nginx', 'subject'] as readonly string[],
    meaning:
      'Headers of a trusted ingress that may carry a certificate: RFC 9440 `Client-Cert`, Envoy’s XFCC, nginx’s `ssl-client-*`, the plan’s subject header. List only those your ingress overwrites.',
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
    kind: document('a JSON array of `{"subject"|"san"|"thumbprint", "scopes"?, "roles"?}`'),
    fallback: null,
    meaning: 'Scopes or roles of certificates by subject, subject alternative name or SHA-256 thumbprint.',
  }),
} as const;
