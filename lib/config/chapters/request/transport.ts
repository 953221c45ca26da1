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
      'Refuse callers whose own connection was plain HTTP, or TLS before 1.2 where the platform tells (Workers; elsewhere no such handshake ends), with 403 `insecure_transport`.',
  }),
  tlsCertificateFile: setting({
    name: 'TGEFD_TLS_CERT_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Certificate chain of the Node door’s own TLS (PEM); read again when it changes.',
  }),
  tlsKeyFile: setting({
    name: 'TGEFD_TLS_KEY_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Its private key (PEM).',
  }),
  tlsClientCaFile: setting({
    name: 'TGEFD_TLS_CLIENT_CA_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Authorities of client certificates (PEM); client certificates are asked for when given.',
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
    meaning: 'Client certificate shown to the upstream (PEM); read again when it changes.',
  }),
  upstreamTlsKeyFile: setting({
    name: 'TGEFD_UPSTREAM_TLS_KEY_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Its private key (PEM).',
  }),
  upstreamTlsCaFile: setting({
    name: 'TGEFD_UPSTREAM_TLS_CA_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Authorities the upstream’s certificate may come from (PEM), instead of the system’s.',
  }),
  internalTlsHosts: setting({
    name: 'TGEFD_INTERNAL_TLS_HOSTS',
    only: 'node',
    kind: hosts,
    fallback: [],
    meaning:
      'Hosts among those that the configuration names (Redis, Vault, the issuer, the collector, object storage, the upstream) which are called by the three files below.',
  }),
  internalTlsCertificateFile: setting({
    name: 'TGEFD_INTERNAL_TLS_CERT_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Client certificate shown to them (PEM); read again when it changes.',
  }),
  internalTlsKeyFile: setting({
    name: 'TGEFD_INTERNAL_TLS_KEY_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Its private key (PEM).',
  }),
  internalTlsCaFile: setting({
    name: 'TGEFD_INTERNAL_TLS_CA_FILE',
    only: 'node',
    kind: path,
    fallback: null,
    meaning: 'Authorities their certificates may come from (PEM), instead of the system’s.',
  }),
  egressAllow: setting({
    name: 'TGEFD_EGRESS_ALLOW',
    kind: hosts,
    fallback: [],
    meaning: 'Further hosts the process may call; by default exactly those the configuration names.',
  }),
} as const;
