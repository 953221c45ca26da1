import type { Config } from '../config/load.ts';
import { ingressHeaders, unstrippedHeaders } from '../config/rules/ingress.ts';
import { adviceFor, type ProxyName } from './doctor/advice.ts';

/** A header name as people write it in the file of a proxy. */
function written(name: string): string {
  return name.replace(/(?<![a-z0-9])[a-z]/g, (letter) => letter.toUpperCase());
}

function nginxName(name: string): string {
  return name.replaceAll('-', '_');
}

const hands: Readonly<Record<ProxyName, (name: string) => string>> = {
  nginx: (name) =>
    `on the server: \`auth_request_set $tgefd_${nginxName(name)} $upstream_http_${nginxName(name)};\`, and where it forwards: \`proxy_set_header ${written(name)} $tgefd_${nginxName(name)};\``,
  caddy: (name) => `in \`forward_auth\`: \`copy_headers ${written(name)}\``,
  traefik: (name) => `in \`forwardAuth\`: \`authResponseHeaders: [${written(name)}]\``,
  envoy: (name) => `in \`authorization_response\`: \`allowed_upstream_headers: { patterns: [{ exact: ${name} }] }\``,
};

/** Names that the documented files treat by themselves. */
const DOCUMENTED = new Set(['x-ssl-client-subject', 'x-auth-request-user']);

function beforeGateway(name: string): string {
  const header = written(name);
  return `${name}: remove it from callers: nginx \`proxy_set_header ${header} "";\`, Caddy \`header_up -${header}\`, HAProxy \`http-request del-header ${header}\``;
}

/**
 * What the proxy's file needs besides the documented lines, because of headers and claims that this configuration
 * names.
 *
 * @param config - the configuration in force.
 * @returns one line for each change.
 */
export function proxyLines({ settings, documents }: Config): readonly string[] {
  const proxy = settings.forwardAuth;
  if (proxy === 'off') return unstrippedHeaders(settings).map(([name]) => beforeGateway(name));
  const lines: string[] = [];
  for (const [name] of ingressHeaders(settings)) {
    if (DOCUMENTED.has(name)) continue;
    lines.push(`${name}: remove it from callers ${adviceFor('service_header', name, proxy)}`);
    if (name === settings.identityHeader) lines.push(`${name}: hand the identity on ${hands[proxy](name)}`);
  }
  for (const { field, path } of documents.forwardClaims)
    lines.push(`${field}: hand the claim ${JSON.stringify(path)} on ${hands[proxy](field)}`);
  return lines;
}
