import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { createEchoServer } from '../../lib/cli/doctor/echo.ts';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import type { StartedDoor } from '../support/door.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { caddyProgram, nginxProgram, type StartedProxy, startCaddy, startNginx } from '../support/proxy.ts';
import { requestRaw } from '../support/raw-http.ts';

/*
 * The doctor through real proxies: every hole that was planted is found and told with the line that closes it, and the
 * documented configurations have none.
 */

const SECRET = 'one-time secret of this examination';
const [nginx, caddy] = await Promise.all([nginxProgram(), caddyProgram()]);

function startAuthorizer(forwardAuth: string, env: Readonly<Record<string, string>> = {}): Promise<StartedDoor> {
  return startNodeDoor({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWT_SECRET: 'a secret of the tests, of 32 bytes or more',
    TGEFD_JWT_ALLOWED_ALGS: 'HS256',
    TGEFD_FORWARD_AUTH: forwardAuth,
    TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
    TGEFD_IDENTITY_HEADER: 'x-ingress-user',
    TGEFD_INGRESS_STRIPS: 'x-ingress-user',
    TGEFD_DOCTOR_SECRET: SECRET,
    ...env,
  });
}

async function startEcho() {
  const server = createEchoServer();
  return listenOnLoopback(server);
}

/** What the command prints about an ingress, and its exit code. */
async function examine(port: number, ...args: string[]) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const code = await main(
    ['doctor', 'ingress', '--url', `http://127.0.0.1:${port}`, '--header', 'X-Ingress-User', ...args],
    {
      env: { TGEFD_DOCTOR_SECRET: SECRET },
      out: write,
      err: write,
    },
  );
  return { code, text: lines.join('\n'), holes: lines.filter((line) => line.startsWith('HOLE')) };
}

/** The usual tutorial: asks with all headers, passes all headers on, and copies the user. */
function naiveNginx(authorizer: number, service: number) {
  return (port: number) =>
    `
events {}
http {
  access_log off;
  underscores_in_headers on;
  ignore_invalid_headers off;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port};
    location / {
      set $asked $uri$is_args$args;
      auth_request /_authorizer/check;
      auth_request_set $tgefd_status $upstream_http_x_tgefd_status;
      auth_request_set $tgefd_problem $upstream_http_x_tgefd_problem;
      error_page 403 = @denied;
      auth_request_set $user $upstream_http_x_auth_request_user;
      proxy_set_header X-Auth-Request-User $user;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_pass http://127.0.0.1:${service};
    }
    location /_authorizer/ {
      proxy_pass http://127.0.0.1:${authorizer};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $asked;
      proxy_set_header X-Original-Method $request_method;
      proxy_buffer_size 16k;
      proxy_buffers 4 16k;
    }
    location @denied { default_type application/json; return 403 $tgefd_problem; }
  }
}`;
}

/** Another: trusts every forwarded header, strips nothing. */
function naiveCaddy(authorizer: number, service: number) {
  return (port: number) =>
    `{
	admin off
	auto_https off
}
http://127.0.0.1:${port} {
	handle /_authorizer/* {
		reverse_proxy 127.0.0.1:${authorizer}
	}
	handle {
		forward_auth 127.0.0.1:${authorizer} {
			uri /_authorizer/check
			trusted_proxies private_ranges
			copy_headers X-Auth-Request-User X-Auth-Request-Email
		}
		reverse_proxy 127.0.0.1:${service} {
			trusted_proxies private_ranges
		}
	}
}`;
}

/** Each planted hole: what the doctor has to say about it, and the line it has to name. */
const planted = {
  nginx: [
    ['a token at the service', /HOLE {2}The service gets the caller’s token/, 'proxy_set_header Authorization "";'],
    [
      'an identity that the authorizer believes',
      /HOLE {2}With `X-Ingress-User` a stranger names itself/,
      'proxy_pass_request_headers off;',
    ],
    [
      'a certificate that the authorizer believes',
      /`X-Ssl-Client-Subject` a stranger brings the certificate/,
      'proxy_pass_request_headers off;',
    ],
    [
      'an address',
      /`X-Forwarded-For` a stranger chooses its address/,
      'proxy_set_header X-Forwarded-For $remote_addr;',
    ],
    [
      'a scheme',
      /`X-Forwarded-Proto` a stranger says whether its connection was TLS/,
      'proxy_pass_request_headers off;',
    ],
    ['a host', /`X-Forwarded-Host` a stranger chooses the host/, 'proxy_pass_request_headers off;'],
    ['a request id', /a stranger chooses the request id/, 'proxy_pass_request_headers off;'],
    [
      'a second source of the URI',
      /`X-Forwarded-Uri` reaches the authorizer, which refuses it/,
      'proxy_pass_request_headers off;',
    ],
    ['a header in its plain spelling', /`Remote-User` reaches the service/, 'proxy_set_header Remote-User "";'],
    ['a header with underscores', /`X_Auth_Request_User`\)/, 'underscores_in_headers off;'],
    ['a header with dots', /`X\.Auth\.Request\.User`\)/, 'ignore_invalid_headers on;'],
    [
      'scopes that nobody sets',
      /`X-Auth-Request-Scopes` reaches the service/,
      'proxy_set_header X-Auth-Request-Scopes "";',
    ],
    [
      'a path that is decided as another',
      /the authorizer decides about `.*`, but the service gets/,
      'proxy_set_header X-Original-URI $request_uri;',
    ],
    ['the check as a page', /`\/_authorizer\/check` is open to strangers, who are believed there/, 'internal;'],
    ['the key set as a page', /`\/_authorizer\/jwks\.json` is open/, 'location /_authorizer/ { return 404; }'],
    ['a body of any size', /A body of any size/, 'client_max_body_size 8m;'],
  ],
  caddy: [
    ['a token at the service', /HOLE {2}The service gets the caller’s token/, 'request_header -Authorization'],
    ['a placeholder', /`X-Auth-Request-Email: \{http\.reverse_proxy/, 'only fields that the authorizer sends'],
    [
      'an identity that the authorizer believes',
      /HOLE {2}With `X-Ingress-User` a stranger names itself/,
      'request_header -X-Ingress-User',
    ],
    [
      'a certificate that the authorizer believes',
      /`Client-Cert` a stranger brings the certificate/,
      'request_header -Client-Cert',
    ],
    ['an address', /`X-Forwarded-For` a stranger chooses its address/, 'take `trusted_proxies` away'],
    ['a host', /`X-Forwarded-Host` a stranger chooses the host/, 'request_header -X-Forwarded-Host'],
    ['a header in its plain spelling', /`Remote-User` reaches the service/, 'request_header -Remote-User'],
    ['a header with underscores', /`X_Auth_Request_User`\)/i, 'request_header -*_*'],
    ['a header with dots', /`X\.Auth\.Request\.User`\)/i, 'request_header -*.*'],
    [
      'a Connection that takes the identity away',
      /`Connection: X-Auth-Request-User` a stranger takes/,
      'request_header -Connection',
    ],
    ['the check as a page', /`\/_authorizer\/check` is open to strangers, who are believed there/, 'respond @own 404'],
    ['a body of any size', /A body of any size/, 'request_body { max_size 8MB }'],
  ],
} as const;

const naive = [
  {
    door: 'nginx' as const,
    program: nginx,
    start: (a: number, s: number) => startNginx(nginx, { config: naiveNginx(a, s) }),
  },
  {
    door: 'caddy' as const,
    program: caddy,
    start: (a: number, s: number) => startCaddy(caddy, { config: naiveCaddy(a, s) }),
  },
];

for (const { door, program, start } of naive) {
  describeWith([program], `a naive ${door}`, () => {
    let parts: { stop(): Promise<void> }[] = [];
    let found: Awaited<ReturnType<typeof examine>>;
    beforeAll(async () => {
      const [authorizer, echo] = await Promise.all([startAuthorizer(door), startEcho()]);
      const proxy = await start(authorizer.port, echo.port);
      parts = [proxy, authorizer, { stop: echo.down }];
      found = await examine(proxy.port);
    });
    afterAll(async () => {
      for (const part of parts) await part.stop();
    });

    const holes: readonly (readonly [string, RegExp, string])[] = planted[door];
    test.each(holes)('%s is found, with the line that closes it', (_, says, line) => {
      expect(found.text).toMatch(says);
      const blocks = found.text.split('\n\n').filter((block) => says.test(block));
      expect(
        blocks.some((block) => block.includes(line)),
        blocks.join('\n\n'),
      ).toBe(true);
    });

    test('the command says so by its exit code', () => {
      expect(found.code).toBe(1);
      expect(found.text).not.toContain(SECRET);
    });
  });
}

for (const { door, program, start } of await documentedProxies()) {
  describeWith([program], `the documented ${door}`, () => {
    let authorizer: StartedDoor;
    let proxy: StartedProxy;
    let echo: Awaited<ReturnType<typeof startEcho>>;
    beforeAll(async () => {
      [authorizer, echo] = await Promise.all([
        startAuthorizer(door, { TGEFD_IDENTITY_HEADER: 'x-auth-request-user' }),
        startEcho(),
      ]);
      proxy = await start(authorizer.port, echo.port);
    });
    afterAll(async () => {
      await proxy?.stop();
      await Promise.all([authorizer?.stop(), echo?.down()]);
    });

    test('has no hole', async () => {
      const found = await examineDocumented(proxy.port);
      expect(found.holes).toEqual([]);
      expect(found.text).toContain('no hole found');
      expect(found.code).toBe(0);
    });

    test('says so where it cannot see the service', async () => {
      await echo.down();
      const found = await examineDocumented(proxy.port);
      await echo.up();
      expect(found.text).toContain('could not be seen');
      expect(found.code).toBe(0);
    });

    test('and the probe answers nobody without the secret, and lets nobody past', async () => {
      const guess = (target: string, authorization: string) =>
        requestRaw(proxy.port, `GET ${target} HTTP/1.1`, [
          `Host: 127.0.0.1:${proxy.port}`,
          `Authorization: ${authorization}`,
        ]);
      for (const word of [
        'TGEFD-Doctor guess',
        'TGEFD-Doctor',
        `Bearer ${SECRET}`,
        `tgefd-doctor ${encodeURIComponent(SECRET)}`,
      ]) {
        for (const target of ['/tgefd-doctor', '/tgefd-doctor-echo']) {
          const answer = await guess(target, word);
          expect(answer.status).toBe(401);
          expect(answer.body).not.toContain('probe');
        }
      }
    });
  });
}

/** As an operator would who has no header of its own configured. */
async function examineDocumented(port: number) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const code = await main(['doctor', 'ingress', '--url', `http://127.0.0.1:${port}`], {
    env: { TGEFD_DOCTOR_SECRET: SECRET },
    out: write,
    err: write,
  });
  return { code, text: lines.join('\n'), holes: lines.filter((line) => line.startsWith('HOLE')) };
}

describe('the gateway, reached without any proxy', () => {
  const gateway = (trusted: string) =>
    startAuthorizer('off', { TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9', TGEFD_TRUSTED_PROXIES: trusted });

  test('has holes where it trusts whoever comes', async () => {
    const door = await gateway('127.0.0.1/32');
    const found = await examine(door.port, '--proxy', 'envoy');
    await door.stop();
    expect(found.text).toMatch(
      /HOLE {2}With `X-Ingress-User` a stranger names itself.*\n(HOLE.*\n)*.*early_header_mutation/,
    );
    expect(found.text).toMatch(/`X-Forwarded-For` a stranger chooses its address/);
    expect(found.code).toBe(1);
  });

  test('has none where it trusts nobody', async () => {
    const door = await gateway('');
    const found = await examine(door.port);
    await door.stop();
    expect(found.holes).toEqual([]);
    expect(found.text).toContain('does not trust this hop');
    expect(found.code).toBe(0);
  });
});

test('the doctor’s way past the door leads to its echo alone, by canonical paths', async () => {
  const authorizer = await startAuthorizer('caddy');
  const check = (uri: string) =>
    requestRaw(authorizer.port, 'GET /_authorizer/check HTTP/1.1', [
      'Host: authorizer',
      `Authorization: TGEFD-Doctor ${SECRET}`,
      'X-Forwarded-Method: GET',
      `X-Forwarded-Uri: ${uri}`,
    ]);
  expect((await check('/tgefd-doctor-echo/a?b=1')).status).toBe(200);
  for (const uri of [
    '/v1/metrics',
    '/tgefd-doctor-echo/../v1/metrics',
    '/tgefd-doctor-echo/%2e%2e/v1',
    '/tgefd-doctor-echoes',
  ]) {
    expect((await check(uri)).status, uri).toBe(403);
  }
  await authorizer.stop();
});

describe('what cannot be examined', () => {
  test('is told as that, not as sound', async () => {
    const closed = await examine(1);
    expect(closed.code).toBe(1);
    expect(closed.text).toContain('nobody answers there');
    const authorizer = await startAuthorizer('caddy', { TGEFD_DOCTOR_SECRET: 'another secret of thirty-two bytes' });
    const other = await examine(authorizer.port);
    await authorizer.stop();
    expect(other.code).toBe(1);
    expect(other.text).toContain('TGEFD_DOCTOR_SECRET');
  });
});
