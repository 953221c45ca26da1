import { document, headerName, integer, prefix, text, words } from '../../kinds.ts';
import { secret, setting, settingByEnvironment } from '../../variable.ts';

/** Chapter “JWT” of the configuration. */
export const jwt = {
  jwtSecret: secret({
    name: 'TGEFD_JWT_SECRET',
    kind: document('at least 32 bytes'),
    meaning: 'HS256 secret, development only; at least 32 bytes.',
  }),
  jwtHeader: setting({
    name: 'TGEFD_JWT_HEADER',
    kind: headerName,
    fallback: 'authorization',
    meaning: 'Header that carries the token.',
  }),
  jwtBearerPrefix: setting({
    name: 'TGEFD_JWT_BEARER_PREFIX',
    kind: prefix('an authentication scheme, or empty'),
    fallback: 'bearer ',
    meaning: 'What stands before the token; letter case does not matter.',
  }),
  jwtIssuer: setting({
    name: 'TGEFD_JWT_ISSUER',
    kind: text('an issuer identifier'),
    fallback: null,
    meaning: 'Exact `iss` of every token; required in production.',
  }),
  jwtAudience: setting({
    name: 'TGEFD_JWT_AUDIENCE',
    kind: text('an audience'),
    fallback: null,
    meaning: 'Value that `aud` must contain; required in production.',
  }),
  jwtSubClaim: setting({
    name: 'TGEFD_JWT_SUB_CLAIM',
    kind: text('a claim name'),
    fallback: 'sub',
    meaning: 'Claim that names the caller.',
  }),
  jwtClockSkewSeconds: setting({
    name: 'TGEFD_JWT_CLOCK_SKEW_SEC',
    kind: integer(0, 600, 'seconds'),
    fallback: 60,
    meaning: 'Tolerance for `exp`, `nbf` and `iat`.',
  }),
  jwtAllowedAlgorithms: setting({
    name: 'TGEFD_JWT_ALLOWED_ALGS',
    kind: words(
      'algorithms among `HS256`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`',
      /^(HS256|[RPE]S(256|384|512)|EdDSA)$/,
    ),
    fallback: ['HS256', 'RS256'] as readonly string[],
    meaning: 'Signature algorithms accepted. HS256 counts only where a secret is configured and no key set is.',
  }),
  jwtMaximumLifetimeSeconds: settingByEnvironment({
    name: 'TGEFD_JWT_MAX_TTL_SEC',
    kind: integer(0, 31_536_000, 'seconds'),
    fallback: {
      production: 3600,
      development: 0,
    },
    meaning: 'Tokens whose `exp - iat` is longer are refused; 0 is off.',
  }),
  jwtTypes: setting({
    name: 'TGEFD_JWT_TYP',
    kind: words('media types, or `absent`', /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+/-]{0,126}$/),
    fallback: ['absent', 'JWT', 'at+jwt', 'application/at+jwt'] as readonly string[],
    meaning: 'Values of the `typ` header that are accepted; `absent` stands for a token without one.',
  }),
  jwtScopesClaim: setting({
    name: 'TGEFD_JWT_SCOPES_CLAIM',
    kind: text('a claim name'),
    fallback: null,
    meaning: 'Claim that holds the scopes; otherwise the first of `scope`, `scopes`, `scp`.',
  }),
} as const;
