import { integer, seconds, text, url } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Key set” of the configuration. */
export const keySet = {
  jwksUrl: setting({
    name: 'TGEFD_JWKS_URL',
    kind: url,
    fallback: null,
    meaning:
      'URL of the issuer’s key set. Not given: the URL in its metadata (`/.well-known/openid-configuration`, then RFC 8414). `http:` is for loopback hosts in development only.',
  }),
  jwksFile: setting({
    name: 'TGEFD_JWKS_FILE',
    kind: text('the path of a file'),
    fallback: null,
    meaning: 'File with the key set of the issuer. It is read again at every refresh. Not on a Worker.',
  }),
  jwksTtlSeconds: setting({
    name: 'TGEFD_JWKS_TTL_SEC',
    kind: seconds(1, 86_400),
    fallback: 300,
    meaning: 'How long a fetched key set is used before it is fetched again.',
  }),
  jwksTimeoutSeconds: setting({
    name: 'TGEFD_JWKS_TIMEOUT_SEC',
    kind: seconds(0.05, 30),
    fallback: 3,
    meaning: 'Deadline of one fetch, with its body.',
  }),
  jwksMaxAttempts: setting({
    name: 'TGEFD_JWKS_MAX_ATTEMPTS',
    kind: integer(1, 10),
    fallback: 3,
    meaning: 'Attempts of one fetch.',
  }),
  jwksBackoffSeconds: setting({
    name: 'TGEFD_JWKS_BACKOFF_SEC',
    kind: seconds(0, 60),
    fallback: 0.2,
    meaning: 'First pause between attempts. It doubles each time, with jitter.',
  }),
  jwksMaxBackoffSeconds: setting({
    name: 'TGEFD_JWKS_MAX_BACKOFF_SEC',
    kind: seconds(0, 300),
    fallback: 2,
    meaning: 'Longest pause between attempts.',
  }),
  jwksMaxStaleSeconds: setting({
    name: 'TGEFD_JWKS_MAX_STALE_SEC',
    kind: seconds(0, 604_800),
    fallback: 3600,
    meaning: 'How long the last good key set may be used while the issuer is down.',
  }),
} as const;
