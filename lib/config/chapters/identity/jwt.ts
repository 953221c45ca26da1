import { providerNames } from '../../../authenticate/providers/provider.ts';
import {
  claimPath,
  claimPaths,
  commaList,
  document,
  headerName,
  integer,
  issuerName,
  oneOf,
  scheme,
  typeName,
  words,
} from '../../kinds.ts';
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
    kind: scheme,
    fallback: 'bearer ',
    meaning: 'Text before the token; letter case does not matter.',
  }),
  jwtIssuer: setting({
    name: 'TGEFD_JWT_ISSUER',
    kind: issuerName,
    fallback: null,
    meaning: 'Exact `iss` of every token; required in production.',
  }),
  jwtAudience: setting({
    name: 'TGEFD_JWT_AUDIENCE',
    kind: commaList('audiences separated by commas', (value) =>
      /^[^\p{Cc}\s*](?:[^\p{Cc}*]*[^\p{Cc}\s*])?$/u.test(value),
    ),
    fallback: null,
    meaning: 'Accepted audiences; `aud` must contain one of them. Required in production.',
  }),
  jwtAudienceClaim: setting({
    name: 'TGEFD_JWT_AUDIENCE_CLAIM',
    kind: claimPath,
    fallback: null,
    meaning: 'Claim that is compared with the audience when a token has no `aud`; by default that of the provider.',
  }),
  jwtSubClaim: setting({
    name: 'TGEFD_JWT_SUB_CLAIM',
    kind: claimPaths,
    fallback: ['sub'] as readonly string[],
    meaning: 'Claims that may name the caller. The first one that is present and a non-empty string counts.',
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
      'algorithms among `HS256`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`, `Ed25519`',
      /^(HS256|[RPE]S(256|384|512)|EdDSA|Ed25519)$/,
    ),
    fallback: ['HS256', 'RS256'] as readonly string[],
    meaning:
      'Accepted signature algorithms; `EdDSA` and `Ed25519` each mean both. HS256 counts only if a secret is configured and no key set is.',
  }),
  jwtMaximumLifetimeSeconds: settingByEnvironment({
    name: 'TGEFD_JWT_MAX_TTL_SEC',
    kind: integer(0, 31_536_000, 'seconds'),
    fallback: {
      production: 3600,
      development: 0,
    },
    meaning:
      'Tokens with a longer `exp - iat` are refused; 0 is off. Default with a provider: the limit of the provider.',
  }),
  jwtTypes: setting({
    name: 'TGEFD_JWT_TYP',
    kind: words('media types, or `absent`', typeName),
    fallback: ['absent', 'JWT', 'at+jwt', 'application/at+jwt'] as readonly string[],
    meaning: 'Accepted values of the `typ` header; `absent` accepts a token without `typ`.',
  }),
  jwtScopesClaim: setting({
    name: 'TGEFD_JWT_SCOPES_CLAIM',
    kind: claimPath,
    fallback: null,
    meaning:
      'Claim that holds the scopes. If it is set, no other claim grants anything by default, and roles do not either. Not given: the first of `scope`, `scopes`, `scp`.',
  }),
  jwtGrants: setting({
    name: 'TGEFD_JWT_GRANTS',
    kind: oneOf('first', 'union'),
    fallback: null,
    meaning:
      '`first`: roles count only in a token without a scopes claim (the default). `union`: scopes and roles count together.',
  }),
  jwtRequiredClaims: setting({
    name: 'TGEFD_JWT_REQUIRED_CLAIMS',
    member: null,
    kind: document('a JSON object from a claim path to a value or a list of values'),
    fallback: null,
    meaning:
      'Claims that must have one of the given values. If the claim is a list, it must contain one. A value that ends in `*` is a prefix.',
  }),
  jwtMaximumBytes: setting({
    name: 'TGEFD_JWT_MAX_BYTES',
    kind: integer(1024, 16_384, 'bytes'),
    fallback: 8192,
    meaning: 'Longest token that is accepted. A longer one is 400.',
  }),
  provider: setting({
    name: 'TGEFD_PROVIDER',
    kind: oneOf(...providerNames),
    fallback: null,
    meaning:
      'Identity provider whose defaults apply to everything that is not configured (`docs/reference/providers.md`).',
  }),
  issuers: setting({
    name: 'TGEFD_ISSUERS',
    member: 'issuers',
    kind: document('a JSON array of issuers (`docs/reference/issuers.md`)'),
    fallback: null,
    meaning:
      'Several issuers, each with its own keys, audiences and rules. Replaces every variable that describes a single issuer.',
  }),
} as const;
