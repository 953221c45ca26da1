import { boolean, path } from '../../kinds.ts';
import { hosts } from '../../place-kinds.ts';
import { setting, settingByEnvironment } from '../../variable.ts';

/** Chapter “Transport and egress” of the configuration. */
export const transport = {
  requireTls: settingByEnvironment({
    name: 'TGEFD_REQUIRE_TLS',
    kind: boolean,
    fallback: {
      production: true as boolean,
      development: false as boolean,
    },
    meaning:
      'Refuses callers over plain HTTP with 403 `insecure_transport`. On Workers also callers with TLS before 1.2; on other platforms no such handshake succeeds.',
  }),
  tlsCertificateFile: setting({
    name: 'TGEFD_TLS_CERT_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Certificate chain (PEM) of the Node gateway’s own TLS. It is read again when it changes.',
  }),
  tlsKeyFile: setting({
    name: 'TGEFD_TLS_KEY_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Private key (PEM) of TGEFD_TLS_CERT_FILE.',
  }),
  tlsClientCaFile: setting({
    name: 'TGEFD_TLS_CLIENT_CA_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'CA certificates (PEM) of client certificates. If it is set, the gateway asks callers for a certificate.',
  }),
  tlsClientCrlFile: setting({
    name: 'TGEFD_TLS_CLIENT_CRL_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Revocation lists of client certificates (PEM).',
  }),
  upstreamTlsCertificateFile: setting({
    name: 'TGEFD_UPSTREAM_TLS_CERT_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Client certificate (PEM) for the upstream. It is read again when it changes.',
  }),
  upstreamTlsKeyFile: setting({
    name: 'TGEFD_UPSTREAM_TLS_KEY_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Private key (PEM) of TGEFD_UPSTREAM_TLS_CERT_FILE.',
  }),
  upstreamTlsCaFile: setting({
    name: 'TGEFD_UPSTREAM_TLS_CA_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'CA certificates (PEM) for the certificate of the upstream, in place of the system’s.',
  }),
  internalTlsHosts: setting({
    name: 'TGEFD_INTERNAL_TLS_HOSTS',
    only: 'node',
    kind: hosts,
    fallback: [],
    meaning:
      'Configured hosts that the process calls with the three files below: Redis, Vault, the issuer, the collector, object storage, the upstream.',
  }),
  internalTlsCertificateFile: setting({
    name: 'TGEFD_INTERNAL_TLS_CERT_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Client certificate (PEM) for these hosts. It is read again when it changes.',
  }),
  internalTlsKeyFile: setting({
    name: 'TGEFD_INTERNAL_TLS_KEY_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Private key (PEM) of TGEFD_INTERNAL_TLS_CERT_FILE.',
  }),
  internalTlsCaFile: setting({
    name: 'TGEFD_INTERNAL_TLS_CA_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'CA certificates (PEM) for the certificates of these hosts, in place of the system’s.',
  }),
  egressAllow: setting({
    name: 'TGEFD_EGRESS_ALLOW',
    kind: hosts,
    fallback: [],
    meaning: 'Further hosts that the process may call. By default it calls only the hosts of the configuration.',
  }),
} as const;
