import { readFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { ingressFields } from '../../lib/request/field-names.ts';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import {
  caddyProgram,
  haproxyProgram,
  nginxProgram,
  type StartedProxy,
  startCaddy,
  startHaproxy,
  startNginx,
} from '../support/proxy.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

/*
 * The documented configurations as they stand, save addresses and paths, with TLS, in front of the gateway itself: the
 * gateway believes this proxy, so whatever a stranger could get past it would count.
 */

const [nginx, caddy, haproxy, openssl] = await Promise.all([
  nginxProgram(),
  caddyProgram(),
  haproxyProgram(),
  opensslProgram(),
]);
const DOCTOR_SECRET = 'one-time secret of this examination';

async function documented(file: string, replacements: readonly (readonly [string | RegExp, string])[]) {
  let text = await readFile(new URL(`../../docs/proxies/${file}`, import.meta.url), 'utf8');
  for (const [found, replacement] of replacements) {
    const next = text.replace(found, replacement);
    if (next === text) throw new Error(`${file} no longer says ${found}`);
    text = next;
  }
  return text;
}

interface Setting {
  readonly gateway: number;
  readonly clientCertificates: boolean;
  readonly files: Readonly<Record<string, string>>;
}

const proxies = [
  {
    name: 'nginx',
    program: nginx,
    source: 'nginx',
    start: async ({ gateway, clientCertificates, files }: Setting) => {
      const text = await documented('gateway-nginx.conf', [
        ['pid /run/nginx.pid;', ''],
        ['server 127.0.0.1:8080;', `server 127.0.0.1:${gateway};`],
        ['listen 80;', 'listen unix:FOLDER/redirect.sock;'],
        ['listen 443 ssl', 'listen 127.0.0.1:PORT ssl'],
        ['/etc/nginx/tls/tls.crt', 'FOLDER/tls.crt'],
        ['/etc/nginx/tls/tls.key', 'FOLDER/tls.key'],
        ['/etc/nginx/tls/client-ca.crt', 'FOLDER/client-ca.crt'],
        ...(clientCertificates
          ? ([[/# (ssl_client_certificate .*)\n *# (ssl_verify_client .*)/, '$1\n$2']] as const)
          : []),
      ]);
      const config = (port: number, folder: string) => text.replaceAll('FOLDER', folder).replaceAll('PORT', `${port}`);
      return startNginx(nginx, { files, config });
    },
  },
  {
    name: 'caddy',
    program: caddy,
    source: 'client_cert',
    start: async ({ gateway, clientCertificates, files }: Setting) => {
      const text = await documented('gateway-Caddyfile', [
        ['api.example.com {', '{\n\tadmin off\n\tauto_https off\n}\nhttps://api.example.com:PORT {\n\tbind 127.0.0.1'],
        ['reverse_proxy 127.0.0.1:8080', `reverse_proxy 127.0.0.1:${gateway}`],
        ['/etc/caddy/client-ca.crt', 'FOLDER/client-ca.crt'],
        ...(clientCertificates
          ? ([
              [
                /\t# tls \{\n\t# (\tclient_auth \{)\n\t# (.*)\n\t# (.*)\n\t# (.*)\n\t# \}/,
                '\ttls FOLDER/tls.crt FOLDER/tls.key {\n$1\n$2\n$3\n$4\n}',
              ],
              [/\t\theader_up -Client-Cert\n\t\t# (header_up Client-Cert .*)/, '$1'],
            ] as const)
          : ([['\treverse_proxy', '\ttls FOLDER/tls.crt FOLDER/tls.key\n\treverse_proxy']] as const)),
      ]);
      const config = (port: number, folder: string) => text.replaceAll('FOLDER', folder).replaceAll('PORT', `${port}`);
      return startCaddy(caddy, { files, config });
    },
  },
  {
    name: 'haproxy',
    program: haproxy,
    source: 'client_cert',
    start: async ({ gateway, clientCertificates, files }: Setting) => {
      const text = await documented('gateway-haproxy.cfg', [
        ['    bind :80\n', '    bind unix@FOLDER/redirect.sock\n'],
        ['server gateway 127.0.0.1:8080', `server gateway 127.0.0.1:${gateway}`],
        ...(clientCertificates
          ? ([
              [/ {4}bind :443 [^\n]*\n( *#[^\n]*\n *#[^\n]*\n) *# bind :443/, '$1    bind 127.0.0.1:PORT'],
              ['# http-request set-header Client-Cert', 'http-request set-header Client-Cert'],
              ['/etc/haproxy/client-ca.crt', 'FOLDER/client-ca.crt'],
            ] as const)
          : ([['    bind :443', '    bind 127.0.0.1:PORT']] as const)),
        [/crt \/etc\/haproxy\/tls\.pem/g, 'crt FOLDER/tls.pem'],
      ]);
      const config = (port: number, folder: string) => text.replaceAll('FOLDER', folder).replaceAll('PORT', `${port}`);
      return startHaproxy(haproxy, { files, config });
    },
  },
];

/** What would make somebody of a stranger, or somewhere else of where it is, in spellings that some parser takes for it. */
const FORGED: readonly (readonly [string, string])[] = [
  ['X-Auth-Request-User', 'root'],
  ['X_Auth_Request_User', 'root'],
  ['x.auth.request.user', 'root'],
  ['X-Auth-Request-Scopes', '*'],
  ['X-Tgefd-Assertion', 'forged'],
  ['X-Tgefd-Ingress-Proof', `v1;t=1790000000;n=forgedforged;s=${'A'.repeat(43)}`],
  ['Ssl-Client-Verify', 'SUCCESS'],
  ['Ssl-Client-Subject-Dn', 'CN=root'],
  ['Ssl-Client-S-Dn', 'CN=root'],
  ['Ssl-Client-Cert', 'forged'],
  ['SSL_CLIENT_VERIFY', 'SUCCESS'],
  ['X-Ssl-Client-Subject', 'CN=root'],
  ['X-Ssl-Client-Scopes', '*'],
  ['X-Ssl-Client-Roles', 'admin'],
  ['X-Ssl_Client-Subject', 'CN=root'],
  ['Client-Cert', ':AAAA:'],
  ['Client-Cert-Chain', ':AAAA:'],
  ['X-Forwarded-Client-Cert', 'Subject="CN=root"'],
  ['X-Forwarded-For', '203.0.113.9'],
  ['X-Forwarded-For', 'forged'],
  ['X_Forwarded_For', '203.0.113.9'],
  ['X-Forwarded-Host', 'evil.test'],
  ['X-Forwarded-Proto', 'http'],
  ['Forwarded', 'for=203.0.113.9;host=evil.test'],
  ['X-Real-Ip', '203.0.113.9'],
  ['X-Request-Id', 'chosen'],
  ['X-Original-Url', '/healthz'],
  ['X-Http-Method-Override', 'DELETE'],
];
/** All that is believed of a trusted hop under the names that the documents use, and the field that some take for it. */
const BELIEVED: readonly string[] = ingressFields([
  'x-auth-request-user',
  'x-ssl-client-roles',
  'x-ssl-client-scopes',
  'x-ssl-client-subject',
  'forwarded',
]);
const FORGED_VALUES = /root|forged|203\.0\.113|evil|healthz|chosen|DELETE|AAAA|SUCCESS|: \*$|admin/i;

for (const { name, program, source, start } of proxies) {
  describeWith([program, openssl], `the gateway behind ${name}`, () => {
    let authority: Authority;
    let alice: IssuedCertificate;
    let files: Record<string, string>;
    let upstream: Upstream;
    let door: StartedDoor;
    let withoutCertificates: StartedProxy;
    let withCertificates: StartedProxy;

    beforeAll(async () => {
      authority = await startAuthority(openssl);
      const server = await authority.issue({
        subject: '/CN=api.example.com',
        subjectAltNames: ['DNS:api.example.com'],
        usage: 'serverAuth',
      });
      alice = await authority.issue({ subject: '/CN=alice' });
      files = {
        'tls.crt': server.pem,
        'tls.key': server.keyPem,
        'tls.pem': `${server.pem}\n${server.keyPem}`,
        'client-ca.crt': authority.pem,
        'alice.crt': alice.pem,
        'alice.key': alice.keyPem,
      };
      upstream = await startUpstream();
      door = await startNodeDoor({
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'mtls',
        TGEFD_MTLS_SOURCES: source,
        TGEFD_MTLS_POLICY: JSON.stringify([{ subject: 'CN=alice', scopes: ['metrics'] }]),
        TGEFD_RBAC_ENABLED: 'true',
        TGEFD_IDENTITY_HEADER: 'x-auth-request-user',
        TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
        TGEFD_UPSTREAM_URL: upstream.url,
        TGEFD_DOCTOR_SECRET: DOCTOR_SECRET,
      });
      withoutCertificates = await start({ gateway: door.port, clientCertificates: false, files });
      withCertificates = await start({ gateway: door.port, clientCertificates: true, files });
    });
    afterEach(() => {
      upstream.received.length = 0;
    });
    afterAll(async () => {
      await Promise.all([withCertificates?.stop(), withoutCertificates?.stop()]);
      await Promise.all([door?.stop(), upstream?.stop(), authority?.stop()]);
    });

    const ask = async (
      proxy: StartedProxy,
      path: string,
      fields: readonly (readonly [string, string])[],
      more: RequestOptions = {},
    ) => {
      const headers = [['Host', 'api.example.com'], ...fields].flat();
      const options = {
        host: '127.0.0.1',
        port: proxy.port,
        servername: 'api.example.com',
        ca: authority.pem,
        agent: false,
      };
      return await new Promise<{ status: number; code: unknown; requestId: unknown }>((resolve, reject) => {
        request({ ...options, path, headers, ...more }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () => {
            const body = Buffer.concat(chunks).toString();
            const isJson = String(response.headers['content-type']).includes('json');
            const code = isJson ? JSON.parse(body).code : null;
            resolve({ status: response.statusCode ?? 0, code, requestId: response.headers['x-request-id'] });
          });
        })
          .on('error', reject)
          .end();
      });
    };
    const asAlice = () => ({ cert: alice.pem, key: alice.keyPem });

    test.each(FORGED)('nobody becomes somebody by %s: %s', async (field, value) => {
      expect(await ask(withoutCertificates, '/v1/metrics', [[field, value]])).toMatchObject({ status: 401 });
    });

    test('of what the gateway would believe, nothing leaves the proxy as a caller sent it', async () => {
      const alone = await start({ gateway: upstream.port, clientCertificates: false, files });
      await ask(alone, '/echo', FORGED);
      await alone.stop();
      const [received] = upstream.received;
      expect(received?.target).toBe('/echo');
      for (const [field, value] of received?.fields ?? [])
        if (BELIEVED.includes(field.toLowerCase())) expect(`${field}: ${value}`).not.toMatch(FORGED_VALUES);
    });

    test('nobody becomes somebody by all of them at once, nor by a Connection that names what the proxy sets', async () => {
      for (const fields of [FORGED, [...FORGED, ['Connection', BELIEVED.join(', ')] as const]])
        expect(await ask(withoutCertificates, '/v1/metrics', fields)).toMatchObject({
          status: 401,
          code: 'credentials_missing',
        });
      expect(upstream.received).toEqual([]);
    });

    test('a caller with a certificate is who it says, whatever else the caller sends', async () => {
      for (const fields of [[], FORGED]) {
        const { status, requestId } = await ask(withCertificates, '/v1/metrics', fields, asAlice());
        expect(status).toBe(200);
        const received = upstream.received.at(-1)?.fields ?? [];
        const only = (wanted: string) =>
          received.filter(([field]) => field.toLowerCase() === wanted).map(([, value]) => value);
        expect(only('x-auth-request-user')).toEqual(['alice']);
        expect(only('x-auth-request-scopes')).toEqual(['metrics']);
        expect(only('x-forwarded-for')).toEqual(['127.0.0.1']);
        expect(only('x-forwarded-proto')).toEqual(['https']);
        expect(only('x-forwarded-host')).toEqual(['api.example.com']);
        expect(only('x-request-id')).toEqual([requestId]);
        for (const [field, value] of received) expect(`${field}: ${value}`).not.toMatch(FORGED_VALUES);
      }
    });

    test('a request id of the proxy is the gateway’s too', async () => {
      const ids = await Promise.all(
        [1, 2].map(() => ask(withoutCertificates, '/v1/metrics', [['X-Request-Id', 'chosen']])),
      );
      expect(new Set(ids.map(({ requestId }) => requestId)).size).toBe(2);
      for (const { requestId } of ids) expect(requestId).toMatch(/^[0-9a-f-]{32,36}$/);
    });

    describe('a path means the same to the proxy and to the gateway', () => {
      test.each([
        '/v1/%2e%2e/metrics',
        '/v1/./metrics',
        '/x/../v1/metrics',
        '/v1//metrics',
        '/v1%2fmetrics',
        '/v1/metrics;x',
        '/v1/metrics%00',
        '/v1\\metrics',
      ])('%s is refused', async (path) => {
        expect(await ask(withCertificates, path, [], asAlice())).toMatchObject({ status: 400 });
        expect(upstream.received).toEqual([]);
      });

      test('what is allowed goes through as it was asked for', async () => {
        await ask(withCertificates, '/v1/metrics?a=%2e%2e&b=x%20y', [], asAlice());
        expect(upstream.received.map(({ target }) => target)).toEqual(['/v1/metrics?a=%2e%2e&b=x%20y']);
      });
    });

    const examine = async (proxy: StartedProxy, ...more: string[]) => {
      const lines: string[] = [];
      const write = (line: string) => void lines.push(line);
      const url = `https://api.example.com:${proxy.port}`;
      const args = ['--url', url, '--connect', '127.0.0.1', '--ca', `${proxy.folder}/client-ca.crt`, ...more];
      // As where the authorizer runs: what its configuration believes is forged too.
      const env = { TGEFD_DOCTOR_SECRET: DOCTOR_SECRET, TGEFD_IDENTITY_HEADER: 'X-Auth-Request-User' };
      const code = await main(['doctor', 'ingress', ...args], { env, out: write, err: write });
      return { code, holes: lines.filter((line) => line.startsWith('HOLE')) };
    };

    test('the doctor finds no hole', async () => {
      expect(await examine(withoutCertificates)).toEqual({ code: 0, holes: [] });
    });

    test('the doctor finds none with client certificates either, whether it has one or not', async () => {
      const certificate = [
        '--cert',
        `${withCertificates.folder}/alice.crt`,
        '--key',
        `${withCertificates.folder}/alice.key`,
      ];
      expect(await examine(withCertificates, ...certificate)).toEqual({ code: 0, holes: [] });
      // Caddy lets nobody in without a certificate.
      expect(await examine(withCertificates)).toEqual({ code: name === 'caddy' ? 1 : 0, holes: [] });
    });

    test('a gateway that is down is a 5xx', async () => {
      const alone = await start({ gateway: 1, clientCertificates: false, files });
      expect((await ask(alone, '/v1/metrics', [])).status).toBe(name === 'haproxy' ? 503 : 502);
      await alone.stop();
    });
  });
}
