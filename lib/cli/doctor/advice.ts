/** What a hole lets through, and where. */
export type HoleKind =
  | 'service_header'
  | 'believed_header'
  | 'address'
  | 'target'
  | 'credential'
  | 'connection'
  | 'identity_missing'
  | 'own_pages'
  | 'body'
  | 'placeholder';

export type ProxyName = 'nginx' | 'caddy' | 'traefik' | 'envoy';

/** The configuration line that closes a hole; `name` is the field as the stranger sent it. */
export function adviceFor(kind: HoleKind, name: string, proxy: ProxyName): string {
  if (kind === 'service_header' || kind === 'believed_header') {
    const odd = name.includes('_') ? 'underscore' : name.includes('.') ? 'dot' : null;
    const written = name.toLowerCase().replace(/(?<![a-z0-9])[a-z]/g, (letter) => letter.toUpperCase());
    return odd === null ? strip[proxy](written, kind) : oddNames[proxy][odd];
  }
  return lines[kind][proxy];
}

const strip: Readonly<Record<ProxyName, (name: string, kind: HoleKind) => string>> = {
  nginx: (name, kind) =>
    kind === 'believed_header'
      ? `in the location of the check: \`proxy_pass_request_headers off;\` (or \`proxy_set_header ${name} "";\`)`
      : `in the location that forwards: \`proxy_set_header ${name} "";\` (nginx-strip-headers.conf has them all)`,
  caddy: (name) => `in \`route\`, before \`forward_auth\` or \`reverse_proxy\`: \`request_header -${name}\``,
  traefik: (name) => `in a \`headers\` middleware before the others: \`customRequestHeaders: { ${name}: "" }\``,
  envoy: (name) => `in \`early_header_mutation_extensions\`: \`- remove: ${name.toLowerCase()}\``,
};

const oddNames: Readonly<Record<ProxyName, { readonly underscore: string; readonly dot: string }>> = {
  nginx: {
    underscore: 'in `http`: `underscores_in_headers off;`',
    dot: 'in `http`: `ignore_invalid_headers on;`',
  },
  caddy: {
    underscore: 'first in `route`: `request_header -*_*`',
    dot: 'first in `route`: `request_header -*.*`',
  },
  traefik: {
    underscore: 'on the entry point: `http.underscoreHeadersStrategy: reject`',
    dot: 'on the entry point: `http.aliasHeadersStrategy: reject`',
  },
  envoy: {
    underscore: 'in `common_http_protocol_options`: `headers_with_underscores_action: REJECT_REQUEST`',
    dot: 'in `early_header_mutation_extensions`: `- remove_on_match: { key_matcher: { contains: "." } }`',
  },
};

const lines: Readonly<
  Record<Exclude<HoleKind, 'service_header' | 'believed_header'>, Readonly<Record<ProxyName, string>>>
> = {
  address: {
    nginx: '`proxy_set_header X-Forwarded-For $remote_addr;` wherever something is forwarded or asked',
    caddy: 'take `trusted_proxies` away, or name only proxies in it; `request_header -X-Forwarded-*` first in `route`',
    traefik: '`trustForwardHeader: false`, and no `forwardedHeaders.insecure` or foreign `trustedIPs`',
    envoy: '`use_remote_address: true` with `xff_num_trusted_hops: 0`',
  },
  target: {
    nginx: '`proxy_set_header X-Original-URI $request_uri;`, and `proxy_pass` without a URI or `rewrite`',
    caddy: 'no `uri`, `rewrite` or `handle_path` between `forward_auth` and `reverse_proxy`',
    traefik: 'no `stripPrefix` or `replacePath` between `forwardAuth` and the service',
    envoy: '`path_with_escaped_slashes_action: REJECT_REQUEST`, and no `prefix_rewrite` on the route',
  },
  credential: {
    nginx: 'in the location that forwards: `proxy_set_header Authorization "";`',
    caddy: 'after `forward_auth`: `request_header -Authorization`',
    traefik: 'in a `headers` middleware after `forwardAuth`: `customRequestHeaders: { Authorization: "" }`',
    envoy: 'in `route_config`: `request_headers_to_remove: [authorization]`',
  },
  connection: {
    nginx: '`proxy_set_header Connection "";`',
    caddy: 'first in `route`: `request_header -Connection`',
    traefik: 'in a `headers` middleware: `customRequestHeaders: { Connection: "" }`',
    envoy: 'nothing known: Envoy removes what `Connection` names before its filters run',
  },
  identity_missing: {
    nginx:
      '`auth_request_set $tgefd_user $upstream_http_x_auth_request_user;` and `proxy_set_header X-Auth-Request-User $tgefd_user;`',
    caddy:
      'in `forward_auth`: `copy_headers X-Auth-Request-User X-Auth-Request-Scopes X-Auth-Request-Method X-Auth-Request-Issuer X-Tgefd-Assertion X-Request-Id Traceparent`',
    traefik: 'in `forwardAuth`: `authResponseHeaders: [X-Auth-Request-User, …]`',
    envoy: 'in `authorization_response`: `allowed_upstream_headers: { patterns: [{ exact: x-auth-request-user }, …] }`',
  },
  own_pages: {
    nginx: '`internal;` in the location of the check, and `location /_authorizer/ { return 404; }`',
    caddy: 'before `forward_auth`: `@own path /_authorizer/*` and `respond @own 404`',
    traefik: 'no router that leads `/_authorizer/` to the authorizer',
    envoy: '`- match: { prefix: /_authorizer/ }` with `direct_response: { status: 404 }` first among the routes',
  },
  body: {
    nginx: '`client_max_body_size 8m;`',
    caddy: 'in `route`: `request_body { max_size 8MB }`',
    traefik: 'a `buffering` middleware with `maxRequestBodyBytes`',
    envoy: 'the buffer filter with `max_request_bytes`',
  },
  placeholder: {
    nginx: 'a variable that is set wherever it is used',
    caddy: 'in `copy_headers`: only fields that the authorizer sends',
    traefik: 'a value in place of the placeholder',
    envoy: 'a value in place of the placeholder',
  },
};
