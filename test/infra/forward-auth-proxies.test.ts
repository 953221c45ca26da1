import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ASSERTING_FAMILIES, ASSERTING_FIELDS } from '../../lib/request/field-names.ts';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import type { StartedProxy } from '../support/proxy.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

/*
 * The documented configurations as they stand, save addresses and TLS, between a real service and an authorizer that
 * answers what its path asks for: what a proxy makes of our answers, and what a stranger can smuggle past it.
 */

interface Asked {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly names: readonly string[];
}

/** Answers `/allow…` with an identity and `/deny/{status}` with that denial, as the check endpoint of `door` does. */
async function startAuthorizer(door: 'nginx' | 'caddy') {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const names = request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, names });
    const uri = String(request.headers[door === 'nginx' ? 'x-original-uri' : 'x-forwarded-uri']);
    const [, verb, code] = uri.split(/[/?]/);
    const fields: [string, string][] = [
      ['x-request-id', 'request-1'],
      ['ratelimit', '"general";r=0;t=7'],
      ['ratelimit-policy', '"general";q=60;w=60'],
    ];
    if (verb !== 'deny') {
      fields.push(
        ['x-auth-request-user', 'analyst'],
        ['x-auth-request-scopes', ''],
        ['x-auth-request-method', 'jwt'],
        ['x-auth-request-issuer', 'https://idp.example'],
      );
      fields.push(['x-tgefd-assertion', 'e30.e30.sig'], ['traceparent', TRACEPARENT]);
      response.writeHead(200, fields.flat()).end();
      return;
    }
    const status = Number(code);
    const problem = { type: 'about:blank', title: 'T', status, detail: 'as "asked" for $host', code: `code_${status}` };
    fields.push(['cache-control', 'no-store'], ['content-type', 'application/problem+json']);
    if (status === 401 || status === 403) fields.push(['www-authenticate', `Bearer realm="api", error="e${status}"`]);
    if (status === 405) fields.push(['allow', 'GET, HEAD']);
    if (status === 429 || status === 503) fields.push(['retry-after', '7']);
    const body = JSON.stringify(problem);
    // nginx's auth_request lets only 401 and 403 pass and drops the body, so the true answer travels in fields.
    if (door === 'nginx') fields.push(['x-tgefd-status', String(status)], ['x-tgefd-problem', body]);
    response.writeHead(door === 'caddy' || status === 401 ? status : 403, fields.flat()).end(body);
  });
  const loopback = await listenOnLoopback(server);
  return { port: loopback.port, asked, down: loopback.down, up: loopback.up };
}

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** Headers that would mean something to the authorizer or to the service, in spellings that some parser takes for them. */
const FORGED = [
  'X-Auth-Request-User: root',
  'x-auth-request-user: root',
  'X-AUTH-REQUEST-SCOPES: *',
  'X_Auth_Request_User: root',
  'X-Auth_Request-User: root',
  'X.Auth.Request.User: root',
  'X-Auth-Request-Email: root@example.test',
  'X-Auth-Request-Groups: root',
  'X-Auth-Request-Preferred-Username: root',
  'X-Auth-Request-Access-Token: forged',
  'X-Tgefd-Assertion: forged',
  'X-Tgefd-Status: 200',
  'X-Tgefd-Problem: {}',
  'X-Tgefd-Ingress-Proof: v1;t=0;n=0;s=0',
  'X-Ssl-Client-Subject: CN=root',
  'X-Ssl-Client-Scopes: *',
  'X-Ssl-Client-Roles: root',
  'X-Ssl-Client-Cert: forged',
  'X_Ssl_Client_Subject: CN=root',
  'Ssl-Client-Verify: SUCCESS',
  'Ssl-Client-Subject-Dn: CN=root',
  'Ssl-Client-S-Dn: CN=root',
  'Ssl-Client-Cert: forged',
  'Client-Cert: :AAAA:',
  'Client-Cert-Chain: :AAAA:',
  'X-Client-Cert: forged',
  'X-Forwarded-Client-Cert: Subject="CN=root"',
  'Forwarded: for=203.0.113.9',
  'X-Forwarded-For: 203.0.113.9',
  'X_Forwarded_For: 203.0.113.9',
  'X-Forwarded-Host: evil.test',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Method: HEAD',
  'X-Forwarded-Uri: /healthz',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Port: 1',
  'X-Forwarded-User: root',
  'X-Forwarded-Email: root@example.test',
  'X-Forwarded-Groups: root',
  'X-Forwarded-Server: evil.test',
  'X-Real-Ip: 203.0.113.9',
  'True-Client-Ip: 203.0.113.9',
  'CF-Connecting-IP: 203.0.113.9',
  'X-Original-Method: HEAD',
  'X-Original-Uri: /healthz',
  'X-Original-Url: /healthz',
  'X-Rewrite-Url: /healthz',
  'X-Http-Method: DELETE',
  'X-Http-Method-Override: DELETE',
  'X-Envoy-Original-Path: /healthz',
  'X-Envoy-External-Address: 203.0.113.9',
  'X-Method-Override: DELETE',
  'X-Remote-User: root',
  'Remote-User: root',
  'X-Request-Id: chosen',
];
const FORGED_VALUES = /root|forged|203\.0\.113|evil|healthz|override|chosen|DELETE|HEAD|:AAAA:|SUCCESS|^\*$|t=0;/i;

/** What may be left at the service of the names above: set by the proxy, to its own values. */
const OURS = new Set([
  'x-auth-request-user',
  'x-auth-request-scopes',
  'x-auth-request-method',
  'x-auth-request-issuer',
  'x-tgefd-assertion',
  'x-request-id',
  'traceparent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

const proxies = await documentedProxies();

for (const { door, program, start } of proxies) {
  describeWith([program], `the documented ${door} configuration`, () => {
    let authorizer: Awaited<ReturnType<typeof startAuthorizer>>;
    let service: Upstream;
    let proxy: StartedProxy;
    beforeAll(async () => {
      [authorizer, service] = await Promise.all([startAuthorizer(door), startUpstream()]);
      proxy = await start(authorizer.port, service.port);
    });
    afterAll(async () => {
      await proxy?.stop();
      await Promise.all([authorizer?.down(), service?.stop()]);
    });
    afterEach(() => {
      authorizer.asked.length = 0;
      service.received.length = 0;
    });

    const ask = (line: string, fields: string[] = [], body = '') =>
      requestRaw(proxy.port, `${line} HTTP/1.1`, [`Host: 127.0.0.1:${proxy.port}`, ...fields], body);

    test('asks with method and URI as they came in, and passes an allowed request on untouched', async () => {
      const answer = await ask(
        'POST /allow/v1/%7Ediscover?a=%2f&b=1',
        ['Authorization: Bearer token', 'Content-Length: 4', 'Content-Type: text/plain'],
        'body',
      );
      expect(answer.status).toBe(404); // the service's own answer: it has no such path
      const [asked] = authorizer.asked;
      const names =
        door === 'nginx' ? ['x-original-method', 'x-original-uri'] : ['x-forwarded-method', 'x-forwarded-uri'];
      expect(asked?.line).toMatch(/^GET \/_authorizer\/check(\?|$)/);
      expect(asked?.headers).toMatchObject({
        [names[0] ?? '']: 'POST',
        [names[1] ?? '']: '/allow/v1/%7Ediscover?a=%2f&b=1',
        authorization: 'Bearer token',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
      });
      expect(service.received).toHaveLength(1);
      expect(service.received[0]).toMatchObject({
        method: 'POST',
        target: '/allow/v1/%7Ediscover?a=%2f&b=1',
        bodyBytes: 4,
      });
    });

    test('tells the request id of an allowed request, once, whatever the service answers', async () => {
      const answer = await ask('GET /fields');
      expect(answer.status).toBe(200);
      expect(answer.field('x-request-id')).toBe('request-1');
    });

    test('names the caller to the service, and keeps the credential from it', async () => {
      await ask('GET /allow', ['Authorization: Bearer token', 'X-Api-Key: key']);
      const fields = Object.fromEntries(
        (service.received[0]?.fields ?? []).map(([name, value]) => [name.toLowerCase(), value]),
      );
      expect(fields).toMatchObject({
        'x-auth-request-user': 'analyst',
        'x-auth-request-method': 'jwt',
        'x-auth-request-issuer': 'https://idp.example',
        'x-tgefd-assertion': 'e30.e30.sig',
        'x-request-id': 'request-1',
        traceparent: TRACEPARENT,
        'x-forwarded-for': '127.0.0.1',
      });
      expect(fields).not.toHaveProperty('authorization');
      expect(fields).not.toHaveProperty('x-api-key');
    });

    test.each(FORGED.map((field) => [field]))(
      'nothing of a forged `%s` reaches the authorizer or the service',
      async (field) => {
        await ask('GET /allow', [field]);
        for (const seen of [Object.entries(authorizer.asked[0]?.headers ?? {}), service.received[0]?.fields ?? []]) {
          expect(seen.length).toBeGreaterThan(0);
          for (const [name, value] of seen) {
            if (/^(x-original-uri|x-forwarded-uri)$/i.test(name)) expect(value).toBe('/allow');
            else expect(`${name}: ${value}`).not.toMatch(FORGED_VALUES);
          }
        }
      },
    );

    test('of all forged headers at once, the service sees only those that the proxy sets itself, once each', async () => {
      await ask('GET /allow', FORGED);
      const names = (service.received[0]?.fields ?? []).map(([name]) => name.toLowerCase());
      const forged = new Set(FORGED.map((field) => (field.split(':')[0] ?? '').toLowerCase()));
      expect(names.filter((name) => forged.has(name) && !OURS.has(name))).toEqual([]);
      expect(new Set(names).size).toBe(names.length);
    });

    test('every field that the gateway would strip is stripped here too', async () => {
      const members = ASSERTING_FAMILIES.map((family) => (family.endsWith('-') ? `${family}user` : family));
      const known = [...ASSERTING_FIELDS, ...(door === 'caddy' ? members : [])].filter((name) => !OURS.has(name));
      await ask(
        'GET /allow',
        known.map((name) => `${name}: root`),
      );
      const names = (service.received[0]?.fields ?? []).map(([name]) => name.toLowerCase());
      expect(names.filter((name) => known.includes(name))).toEqual([]);
      expect(names).toContain('x-auth-request-user');
    });

    test.each(['X-Auth-Request-User', 'X-Tgefd-Assertion', 'Authorization', 'X-Original-Uri', 'X-Forwarded-Uri'])(
      'a Connection header that names %s removes nothing of ours',
      async (name) => {
        await ask('GET /allow', ['Authorization: Bearer token', `Connection: ${name}`]);
        expect(authorizer.asked[0]?.names).toContain('authorization');
        const names = (service.received[0]?.fields ?? []).map(([one]) => one.toLowerCase());
        for (const ours of OURS) if (ours !== 'x-auth-request-scopes') expect(names).toContain(ours);
      },
    );

    test.each([400, 401, 403, 404, 405, 413, 429, 503])('a denial of %i arrives as it was made', async (status) => {
      const answer = await ask(`GET /deny/${status}`);
      expect(answer.status).toBe(status);
      expect(answer.field('content-type')).toBe('application/problem+json');
      expect(answer.field('cache-control')).toBe('no-store');
      expect(answer.field('x-request-id')).toBe('request-1');
      expect(answer.field('ratelimit')).toBe('"general";r=0;t=7');
      expect(answer.field('www-authenticate')).toBe(
        status === 401 || status === 403 ? `Bearer realm="api", error="e${status}"` : null,
      );
      expect(answer.field('allow')).toBe(status === 405 ? 'GET, HEAD' : null);
      expect(answer.field('retry-after')).toBe(status === 429 || status === 503 ? '7' : null);
      expect(JSON.parse(answer.body)).toMatchObject({ status, detail: 'as "asked" for $host', code: `code_${status}` });
      expect(service.received).toEqual([]);
    });

    test('a caller cannot choose the status of a denial', async () => {
      const answer = await ask('GET /deny/403', ['X-Tgefd-Status: 200', 'X-Tgefd-Problem: {"code":"mine"}']);
      expect(answer.status).toBe(403);
      expect(answer.body).not.toContain('mine');
    });

    test('a service’s own 403 and 429 are left alone', async () => {
      for (const status of [403, 429]) {
        const answer = await ask(`GET /status/${status}`);
        expect(answer.status).toBe(status);
        expect(JSON.parse(answer.body).error).toBe('as asked');
      }
    });

    test('the authorizer’s own pages are not to be had from outside, its probes are', async () => {
      for (const path of ['/_authorizer/check', '/_authorizer/jwks.json', '/_authorizer/revocations']) {
        expect((await ask(`GET ${path}`)).status, path).toBe(404);
      }
      expect(authorizer.asked).toEqual([]);
      await ask('GET /healthz');
      await ask('GET /readyz');
      expect(authorizer.asked.map((one) => one.line)).toEqual(['GET /healthz', 'GET /readyz']);
    });

    test('an authorizer that is down closes the door with a 5xx and a problem, and never opens it', async () => {
      await authorizer.down();
      const answer = await ask('GET /allow');
      await authorizer.up();
      expect(answer.status).toBe(door === 'nginx' ? 503 : 502);
      expect(answer.field('content-type')).toBe('application/problem+json');
      expect(JSON.parse(answer.body)).toMatchObject({ status: answer.status });
      expect(service.received).toEqual([]);
    });

    test('a preflight is no way past the authorizer while no origin is listed', async () => {
      const answer = await ask('OPTIONS /deny/401', [
        'Origin: https://app.example',
        'Access-Control-Request-Method: POST',
      ]);
      expect([answer.status, answer.field('access-control-allow-origin')]).toEqual([401, null]);
      expect(authorizer.asked).toHaveLength(1);
    });

    describe('with an origin listed, whose browser apps', () => {
      let opened: StartedProxy;
      beforeAll(async () => {
        opened = await start(authorizer.port, service.port, 'https://app.example');
      });
      afterAll(() => opened?.stop());
      const from = (origin: string, line: string, fields: string[] = []) =>
        requestRaw(
          opened.port,
          `${line} HTTP/1.1`,
          [`Host: 127.0.0.1:${opened.port}`, `Origin: ${origin}`, ...fields],
          '',
        );
      const preflight = ['Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: authorization'];

      test('have their preflights answered without a question and without the service', async () => {
        const answer = await from('https://app.example', 'OPTIONS /deny/401', preflight);
        expect(answer.status).toBe(204);
        expect(answer.field('access-control-allow-origin')).toBe('https://app.example');
        expect(answer.field('access-control-allow-methods')).toContain('POST');
        expect(answer.field('access-control-allow-headers')).toContain('Authorization');
        expect(answer.field('vary')).toBe('Origin');
        expect([authorizer.asked, service.received]).toEqual([[], []]);
      });

      test.each(['GET /allow', 'GET /deny/401', 'GET /deny/429'])('may read the answer to %s', async (line) => {
        const answer = await from('https://app.example', line);
        expect(answer.field('access-control-allow-origin')).toBe('https://app.example');
        expect(answer.field('access-control-expose-headers')).toContain('Retry-After');
      });

      test.each([
        ['another origin', 'OPTIONS /deny/401', 'https://app.example.evil.test', preflight],
        ['OPTIONS that is no preflight', 'OPTIONS /deny/401', 'https://app.example', []],
        ['a preflight by another method', 'GET /deny/401', 'https://app.example', preflight],
      ])('get nothing unasked by %s', async (_, line, origin, fields) => {
        const answer = await from(origin, line, fields);
        expect(answer.status).toBe(401);
        expect(answer.field('access-control-allow-origin')).toBe(origin === 'https://app.example' ? origin : null);
        expect(authorizer.asked).toHaveLength(1);
        expect(service.received).toEqual([]);
      });
    });

    test('two credentials are told apart from one', async () => {
      const answer = await ask('GET /allow', ['Authorization: Bearer one', 'Authorization: Bearer two']);
      if (door === 'nginx')
        expect(answer.status).toBe(400); // nginx refuses it itself
      else expect(authorizer.asked[0]?.names.filter((name) => name === 'authorization')).toHaveLength(2);
    });
  });
}
