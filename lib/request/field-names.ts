/**
 * Which fields of a request are not the caller's to send. One list, read by the boundary (what a trusted ingress may
 * say), by the ingress proof (what it has to cover) and by the stripping (what never goes upstream as it came).
 */

/** What a trusted ingress tells of the caller, besides configured names. Each of them is stripped by the rules below. */
const INGRESS_FIELDS: readonly string[] = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  // RFC 9440
  'client-cert',
  'client-cert-chain',
  // Envoy
  'x-forwarded-client-cert',
  // nginx, as its ingress controllers name them
  'ssl-client-cert',
  'ssl-client-s-dn',
  'ssl-client-subject-dn',
  'ssl-client-verify',
];

/**
 * Takes the configured names of fields that an ingress may set; gives all such names, in lower case, sorted, each once:
 * the fields that a signed ingress proof covers and the only ones believed behind it.
 */
export function ingressFields(configured: readonly string[]): readonly string[] {
  return [...new Set([...INGRESS_FIELDS, ...configured.map((name) => name.toLowerCase())])].sort();
}

/** Fields of one connection (RFC 9110 §7.6.1), and those that the transport to the upstream writes itself. */
export const CONNECTION_FIELDS: readonly string[] = [
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Names that say who or where the caller is, or what it asks for, instead of the request itself. */
export const ASSERTING_FIELDS: readonly string[] = [
  // addresses and schemes
  'client-ip',
  'cloudfront-viewer-address',
  'fastly-client-ip',
  'fly-client-ip',
  'forwarded',
  'front-end-https',
  'true-client-ip',
  'x-appengine-user-ip',
  'x-arr-ssl',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-host',
  'x-originating-ip',
  'x-proxyuser-ip',
  'x-real-ip',
  'x-scheme',
  'x-url-scheme',
  'x-vercel-forwarded-for',
  // method and target
  'x-host-override',
  'x-http-host-override',
  'x-http-method',
  'x-http-method-override',
  'x-http-path-override',
  'x-method-override',
  'x-override-url',
  'x-script-name',
  // identity
  'iv-groups',
  'iv-user',
  'sm-user',
  'x-amzn-lambda-context',
  'x-amzn-request-context',
  'x-anonymous-consumer',
  'x-auth-email',
  'x-auth-groups',
  'x-auth-roles',
  'x-auth-scopes',
  'x-auth-user',
  'x-auth-username',
  'x-email',
  'x-endpoint-api-userinfo',
  'x-goog-iap-jwt-assertion',
  'x-groups',
  'x-jwt-assertion',
  'x-jwt-payload',
  'x-principal',
  'x-roles',
  'x-scopes',
  'x-user',
  'x-user-email',
  'x-user-groups',
  'x-user-id',
  'x-user-name',
  'x-user-roles',
  'x-userinfo',
  'x-username',
  'x-webauth-user',
  // certificates
  'x-arr-clientcert',
  'x-client-cn',
  'x-client-dn',
  'x-client-verify',
  // settings of a server that it takes from its proxy (CGI's HTTP_PROXY, Rack::Sendfile)
  'proxy',
  'x-accel-mapping',
  'x-sendfile-type',
  // ours, set anew for every request
  'traceparent',
  'x-request-id',
];

/** The same for whole families; every name that begins so. */
export const ASSERTING_FAMILIES: readonly string[] = [
  'cf-',
  'client-cert',
  'impersonate-',
  'oidc-',
  'proxy-',
  'remote-',
  'shib-',
  'ssl-',
  'wl-proxy-',
  'x-amzn-mtls-',
  'x-amzn-oidc-',
  'x-apigateway-',
  'x-auth-request-',
  'x-authenticated-',
  'x-authentik-',
  'x-azure-',
  'x-client-cert',
  'x-consumer-',
  'x-credential-',
  'x-envoy-',
  'x-forward',
  'x-goog-authenticated-user-',
  'x-middleware-',
  'x-ms-client-principal',
  'x-ms-token-',
  'x-mtls-',
  'x-original-',
  'x-pomerium-',
  'x-remote-',
  'x-rewrite-',
  'x-spiffe-',
  'x-ssl-',
  'x-tgefd-',
  'x-tls-client-',
  'x-vouch-',
];
