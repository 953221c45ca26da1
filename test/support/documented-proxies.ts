import { readFile } from 'node:fs/promises';
import type { Program } from './debian.ts';
import { caddyProgram, nginxProgram, type StartedProxy, startCaddy, startHaproxy, startNginx } from './proxy.ts';

/** A proxy whose documented forward-auth configuration can be run here. */
export interface DocumentedProxy {
  readonly door: 'nginx' | 'caddy';
  readonly program: Awaited<ReturnType<typeof nginxProgram>>;
  /** Starts it as documented, save addresses and TLS, between an authorizer and a service on loopback ports; with an origin
   * whose browser apps may call, as the configuration says how, with further headers that are removed from callers, and with
   * the commented lines for a forwarded claim, its field in place of `X-Auth-Request-Tenant`. */
  start(
    authorizer: number,
    service: number,
    origin?: string,
    strips?: readonly string[],
    claimField?: string,
    port?: number,
  ): Promise<StartedProxy>;
}

const DOCUMENTED_ORIGIN = 'https://app.example.com';

/** The Caddyfile with its lines for browser apps uncommented. */
function withCors(caddyfile: string): string {
  return caddyfile.replace(/^\t\t# @cors [\s\S]*?respond @preflight 204$/m, (block) =>
    block.replaceAll('\t\t# ', '\t\t'),
  );
}

/** The lines for a claim that goes to the service, uncommented for `field`. */
function withClaim(text: string, field: string | undefined): string {
  if (field === undefined) return text;
  const opened = text.replaceAll(/^(\s*)# (.*(?:x-auth-request-tenant|_tenant;).*)$/gim, '$1$2');
  if (opened === text) throw new Error('the file no longer has lines for a forwarded claim');
  return opened
    .replaceAll('X-Auth-Request-Tenant', field)
    .replaceAll('$upstream_http_x_auth_request_tenant', `$upstream_http_${field.toLowerCase().replaceAll('-', '_')}`);
}

/** Text of a file of docs/proxies with addresses changed. Throws when it no longer says what is to be changed. */
export async function documented(
  file: string,
  replacements: readonly (readonly [string, string])[] = [],
): Promise<string> {
  let text = await readFile(new URL(`../../docs/proxies/${file}`, import.meta.url), 'utf8');
  for (const [found, replacement] of replacements) {
    if (!text.includes(found)) throw new Error(`${file} no longer says ${found}`);
    text = text.replaceAll(found, replacement);
  }
  return text;
}

/** The two documented configurations, nginx and Caddy. Looks for the programs, and installs them where it may. */
export async function documentedProxies(): Promise<readonly DocumentedProxy[]> {
  const [nginx, caddy] = await Promise.all([nginxProgram(), caddyProgram()]);
  return [
    {
      door: 'nginx',
      program: nginx,
      async start(authorizer, service, origin, strips = [], claimField = undefined, port = undefined) {
        const file = await documented('forward-auth-nginx.conf', [
          ['pid /run/nginx.pid;', ''],
          ['server 127.0.0.1:8080;', `server 127.0.0.1:${authorizer};`],
          ['server 127.0.0.1:9000;', `server 127.0.0.1:${service};`],
          ['listen 80;', 'listen unix:redirect.sock;'],
          ['        ssl_certificate     /etc/nginx/tls/tls.crt;\n', ''],
          ['        ssl_certificate_key /etc/nginx/tls/tls.key;\n', ''],
          [`# "${DOCUMENTED_ORIGIN}"`, origin === undefined ? '#' : `"${origin}"`],
        ]);
        const text = withClaim(file, claimField);
        return startNginx(nginx, {
          ...(port === undefined ? {} : { port }),
          files: {
            'nginx-strip-headers.conf': [
              await documented('nginx-strip-headers.conf'),
              ...strips.map((name) => `proxy_set_header ${name} "";\n`),
            ].join('\n'),
          },
          config: (listening, folder) =>
            text
              .replace('listen 443 ssl http2;', `listen 127.0.0.1:${listening};`)
              .replace('unix:redirect.sock', `unix:${folder}/redirect.sock`),
        });
      },
    },
    {
      door: 'caddy',
      program: caddy,
      async start(authorizer, service, origin, strips = [], claimField = undefined, port = undefined) {
        const file = await documented('forward-auth-Caddyfile', [
          ['127.0.0.1:8080', `127.0.0.1:${authorizer}`],
          ['127.0.0.1:9000', `127.0.0.1:${service}`],
        ]);
        const text = withClaim(file, claimField);
        const first = '\t\trequest_header -Connection\n';
        const further = strips.map((name) => `\t\trequest_header -${name}\n`).join('');
        const stripped = text.replace(first, first + further);
        const opened = origin === undefined ? stripped : withCors(stripped).replaceAll(DOCUMENTED_ORIGIN, origin);
        return startCaddy(caddy, {
          ...(port === undefined ? {} : { port }),
          config: (listening) =>
            `{\n\tadmin off\n\tauto_https off\n}\n${opened.replace('api.example.com {', `http://127.0.0.1:${listening} {`)}`,
        });
      },
    },
  ];
}

/** Starts HAProxy as documented in front of the gateway, save addresses and TLS, on loopback ports; it removes `strips` too. */
export async function startGatewayHaproxy(
  program: Program,
  gateway: number,
  strips: readonly string[] = [],
): Promise<StartedProxy> {
  const text = await documented('gateway-haproxy.cfg', [
    ['    bind :80\n', '    bind unix@FOLDER/redirect.sock\n'],
    ['    bind :443 ssl crt /etc/haproxy/tls.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2\n', '    bind 127.0.0.1:PORT\n'],
    ['server gateway 127.0.0.1:8080', `server gateway 127.0.0.1:${gateway}`],
    withLines('    http-request del-header Forwarded\n', strips, (name) => `    http-request del-header ${name}\n`),
  ]);
  return startHaproxy(program, {
    config: (port, folder) => text.replaceAll('FOLDER', folder).replaceAll('PORT', `${port}`),
  });
}

/** Starts Caddy as documented in front of the gateway, save addresses and TLS, on loopback ports; it removes `strips` too. */
export async function startGatewayCaddy(
  program: Program,
  gateway: number,
  strips: readonly string[] = [],
): Promise<StartedProxy> {
  const text = await documented('gateway-Caddyfile', [
    ['127.0.0.1:8080', `127.0.0.1:${gateway}`],
    withLines('\t\theader_up -Forwarded\n', strips, (name) => `\t\theader_up -${name}\n`),
  ]);
  return startCaddy(program, {
    config: (port) =>
      `{\n\tadmin off\n\tauto_https off\n}\n${text.replace('api.example.com {', `http://127.0.0.1:${port} {`)}`,
  });
}

/** Starts nginx as documented in front of the gateway, save addresses and TLS, on loopback ports; it removes `strips` too. */
export async function startGatewayNginx(
  program: Program,
  gateway: number,
  strips: readonly string[] = [],
): Promise<StartedProxy> {
  const text = await documented('gateway-nginx.conf', [
    ['pid /run/nginx.pid;', ''],
    ['server 127.0.0.1:8080;', `server 127.0.0.1:${gateway};`],
    ['listen 80;', 'listen unix:FOLDER/redirect.sock;'],
    ['listen 443 ssl http2;', 'listen 127.0.0.1:PORT;'],
    ['        ssl_certificate     /etc/nginx/tls/tls.crt;\n', ''],
    ['        ssl_certificate_key /etc/nginx/tls/tls.key;\n', ''],
    withLines('            proxy_set_header Connection "";\n', strips, (name) => `proxy_set_header ${name} "";\n`),
  ]);
  return startNginx(program, {
    config: (port, folder) => text.replaceAll('FOLDER', folder).replaceAll('PORT', `${port}`),
  });
}

function withLines(line: string, names: readonly string[], more: (name: string) => string): readonly [string, string] {
  return [line, line + names.map(more).join('')];
}
