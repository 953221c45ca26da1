import { document, headerNames, oneOf, origins } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “General” of the configuration. */
export const general = {
  environment: setting({
    name: 'TGEFD_ENV',
    kind: oneOf('production', 'development'),
    fallback: 'production',
    meaning: 'Production refuses weak settings. Development allows some and lists them.',
  }),
  preset: setting({
    name: 'TGEFD_PRESET',
    member: 'preset',
    kind: oneOf('tgefd', 'none'),
    fallback: 'tgefd',
    meaning:
      'Where the endpoint table and the roles begin: with the TGEFD service, or empty. With `none` a role has only the scopes that its variable gives it.',
  }),
  policy: setting({
    name: 'TGEFD_POLICY',
    member: null,
    kind: document('a JSON object with the members of the policy document'),
    fallback: null,
    meaning:
      'One document for everything that people review: endpoints, issuers, roles, certificates, limits. A member and its variable must not be set together. The file may be YAML on Node and for the command. See `docs/guides/policy-document.md`.',
  }),
  endpoints: setting({
    name: 'TGEFD_ENDPOINTS',
    member: 'endpoints',
    kind: document(
      'a JSON array of `{"method", "path", "scope", "budget", "action"?, "auth"?, "issuers"?, "claims"?, "acr"?, "max_age_sec"?, "mcp"?}`',
    ),
    fallback: null,
    meaning:
      'Rows that are added to the endpoint table, or that replace a row with the same method and path. See `docs/reference/endpoints.md`.',
  }),
  forwardAuth: setting({
    name: 'TGEFD_FORWARD_AUTH',
    kind: oneOf('off', 'nginx', 'traefik', 'caddy', 'envoy'),
    fallback: 'off',
    meaning:
      'The proxy that asks for decisions at `/_authorizer/check` (`/_authorizer/ext-authz/` for Envoy). It decides which headers method and URI are read from; no other header counts.',
  }),
  corsAllowedOrigins: setting({
    name: 'TGEFD_CORS_ALLOWED_ORIGINS',
    kind: origins,
    fallback: [],
    meaning: 'Origins whose preflight requests are answered; none by default. A preflight never reaches the upstream.',
  }),
  corsAllowedHeaders: setting({
    name: 'TGEFD_CORS_ALLOWED_HEADERS',
    kind: headerNames,
    fallback: [] as readonly string[],
    meaning: 'Further request fields that a browser may send from these origins, for example those of your own API.',
  }),
} as const;
