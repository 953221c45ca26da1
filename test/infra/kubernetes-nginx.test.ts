import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { KUBERNETES } from '../support/manifests.ts';
import { nginxProgram } from '../support/proxy.ts';

const run = promisify(execFile);
const nginx = await nginxProgram();

describe('the nginx of the overlay', () => {
  const documented = (name: string) => readFile(new URL(`../../docs/proxies/${name}`, import.meta.url), 'utf8');
  const overlay = (name: string) => readFile(join(KUBERNETES, 'overlays/nginx', name), 'utf8');

  /** What a cluster needs otherwise: addresses, files, TLS inside, nothing written outside /tmp. */
  const CHANGES: readonly (readonly [string, string])[] = [
    ['pid /run/nginx.pid;', 'pid /tmp/nginx.pid;\nerror_log stderr warn;'],
    ['server 127.0.0.1:8080;', 'server tgefd-authorizer.tgefd-edge.svc:443;'],
    ['server 127.0.0.1:9000;', 'server tgefd.tgefd.svc.cluster.local:443;'],
    ['listen 80;', 'listen 8080;'],
    ['listen 443 ssl http2;', 'listen 8443 ssl http2;'],
    [
      'proxy_pass http://service;',
      'proxy_pass https://service;\n            proxy_ssl_name tgefd.tgefd.svc.cluster.local;',
    ],
    [
      'proxy_pass http://authorizer;',
      'proxy_pass https://authorizer;\n            proxy_ssl_name tgefd-authorizer.tgefd-edge.svc;',
    ],
    [
      '    server_tokens off;\n',
      `    server_tokens off;
    access_log off;
    client_body_temp_path /tmp/client-body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    # TLS inside the cluster too, each side by its name.
    proxy_ssl_verify on;
    proxy_ssl_server_name on;
    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    proxy_ssl_trusted_certificate /etc/nginx/internal-ca/ca.crt;
`,
    ],
  ];
  const body = (text: string) => text.slice(text.indexOf('worker_processes'));

  test('is the documented configuration with nothing changed but addresses, files and TLS', async () => {
    let expected = body(await documented('forward-auth-nginx.conf'));
    for (const [from, to] of CHANGES) {
      expect(expected).toContain(from);
      expected = expected.replaceAll(from, to);
    }
    expect(body(await overlay('nginx.conf'))).toBe(expected);
    expect(await overlay('nginx-strip-headers.conf')).toBe(await documented('nginx-strip-headers.conf'));
  });

  describeWith([nginx], 'as nginx reads it', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tgefd-nginx-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test('is valid', async () => {
      const file = (name: string) => join(folder, name);
      await run('openssl', [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=api.example.com',
        '-keyout',
        file('tls.key'),
        '-out',
        file('tls.crt'),
      ]);
      const text = (await overlay('nginx.conf'))
        .replaceAll('/etc/nginx/tls/', `${folder}/`)
        .replaceAll('/etc/nginx/internal-ca/ca.crt', file('tls.crt'))
        .replaceAll('pid /tmp/nginx.pid;', `pid ${file('nginx.pid')};`)
        // Names of a cluster do not resolve here.
        .replaceAll(/server tgefd[a-z.-]*:443;/g, 'server 127.0.0.1:443;');
      await writeFile(file('nginx.conf'), text);
      await writeFile(file('nginx-strip-headers.conf'), await overlay('nginx-strip-headers.conf'));
      const { stderr } = await run(pathOf(nginx), ['-t', '-c', file('nginx.conf'), '-e', 'stderr']);
      expect(stderr).toContain('test is successful');
      expect(stderr).not.toContain('[warn]');
    });
  });
});
