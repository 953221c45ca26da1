import { document, headerNames, oneOf, origins } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “General” of the configuration. */
export const general = {
  environment: setting({
    name: 'TGEFD_ENV',
    kind: oneOf('production', 'development'),
    fallback: 'production',
    meaning: 'Production refuses every weak setting; development allows some and says so.',
  }),
  preset: setting({
    name: 'TGEFD_PRESET',
    member: 'preset',
    kind: oneOf('tgefd', 'none'),
    fallback: 'tgefd',
    meaning:
      'What the endpoint table and the roles begin with: the TGEFD service, or nothing. With `none` a role has only the scopes that its variable gives it.',
  }),
  policy: setting({
    name: 'TGEFD_POLICY',
    member: null,
    kind: document('a JSON object with the members of the policy document'),
    fallback: null,
    meaning:
      'One document for what people review: endpoints, issuers, roles, certificates, limits. A member and its variable together are invalid. The file may be YAML on Node and for the command. See `docs/guides/policy-document.md`.',
  }),
  endpoints: setting({
    name: 'TGEFD_ENDPOINTS',
    member: 'endpoints',
    kind: document(
      'a JSON array of `{"method", "path", "scope", "budget", "action"?, "auth"?, "issuers"?, "claims"?, "acr"?, "max_age_sec"?, "mcp"?}`',
    ),
    fallback: null,
    meaning:
      'Rows added to the endpoint table, or replacing one of the same method and path: see `docs/reference/endpoints.md`.',
  }),
  forwardAuth: setting({
    name: 'TGEFD_FORWARD_AUTH',
    kind: oneOf('off', 'nginx', 'traefik', 'caddy', 'envoy'),
    fallback: 'off',
    meaning:
      'The proxy that asks for decisions at `/_authorizer/check` (or `/_authorizer/ext-authz/` for Envoy), and with it the only headers that method and URI are read from.',
  }),
  corsAllowedOrigins: setting({
    name: 'TGEFD_CORS_ALLOWED_ORIGINS',
    kind: origins,
    fallback: [],
    meaning: 'Origins whose preflights are answered; none by default. Preflights never reach the upstream.',
  }),
  corsAllowedHeaders: setting({
    name: 'TGEFD_CORS_ALLOWED_HEADERS',
    kind: headerNames,
    fallback: [] as readonly string[],
    meaning: 'Further request fields that a browser may send from these origins, such as those of your own API.',
  }),
} as const;
