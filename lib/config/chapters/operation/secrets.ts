import { integer, oneOf, path, seconds, text, url } from '../../kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Secrets” of the configuration. */
export const secrets = {
  issuerUrl: setting({
    name: 'TGEFD_ISSUER_URL',
    kind: url,
    fallback: null,
    meaning:
      'URL under which clouds reach `/_authorizer`, such as `https://api.example.com/_authorizer`. It is the issuer of the authorizer’s own short-lived tokens, signed with TGEFD_ASSERTION_KEY (ES256).',
  }),
  secretsRefreshSeconds: setting({
    name: 'TGEFD_SECRETS_REFRESH_SEC',
    kind: seconds(0, 86_400),
    fallback: 300,
    meaning:
      'How often secrets are read again from their store; files are also read when they change. 0: only at the start. An invalid set of values changes nothing.',
  }),
  vaultUrl: setting({
    name: 'TGEFD_VAULT_URL',
    only: 'node',
    kind: url,
    fallback: null,
    meaning: 'HashiCorp Vault, for secrets given as `vault:mount/path#field` (KV version 2).',
  }),
  vaultNamespace: setting({
    name: 'TGEFD_VAULT_NAMESPACE',
    only: 'node',
    kind: text('a namespace'),
    fallback: null,
    meaning: 'Namespace of Vault Enterprise or HCP.',
  }),
  vaultAuth: setting({
    name: 'TGEFD_VAULT_AUTH',
    only: 'node',
    kind: oneOf('kubernetes', 'jwt', 'token'),
    fallback: 'kubernetes',
    meaning: 'How the process logs in to Vault: with its service account, with another JWT, or with a given token.',
  }),
  vaultAuthMount: setting({
    name: 'TGEFD_VAULT_AUTH_MOUNT',
    only: 'node',
    kind: text('a mount path'),
    fallback: null,
    meaning: 'Mount of the auth method in Vault, if it is not the method’s own name.',
  }),
  vaultRole: setting({
    name: 'TGEFD_VAULT_ROLE',
    only: 'node',
    kind: text('a role'),
    fallback: null,
    meaning: 'Role to log in as; required for `kubernetes` and `jwt`.',
  }),
  vaultJwtFile: setting({
    name: 'TGEFD_VAULT_JWT_FILE',
    only: 'node',
    kind: path,
    fallback: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    meaning: 'File with the JWT for Vault, for example a projected service-account token. It is read for each login.',
  }),
  vaultToken: secret({
    name: 'TGEFD_VAULT_TOKEN',
    only: 'node',
    kind: text('a token'),
    meaning: 'Token for Vault, if TGEFD_VAULT_AUTH is `token`.',
  }),
  rotationMaximumAgeDays: setting({
    name: 'TGEFD_ROTATION_MAX_AGE_DAYS',
    kind: integer(0, 3650, 'days'),
    fallback: 90,
    meaning: 'Age of a secret from which `check-config` and a metric warn; 0 is off.',
  }),
} as const;
