import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import type { StartedProxy } from '../support/proxy.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

/* A claim of the caller's token on its way to the service, through the documented proxies with their commented lines. */

const FIELD = 'X-Auth-Request-Department';
const claims = { TGEFD_FORWARD_CLAIMS: JSON.stringify({ 'org/unit': FIELD }) };

async function checkConfig(door: string): Promise<string> {
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  const env = {
    ...{ TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_JWT_SECRET: 'x'.repeat(32) },
    ...{ TGEFD_FORWARD_AUTH: door, TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' },
    ...claims,
  };
  expect(await main(['check-config'], { env, out: add, err: add })).toBe(0);
  return lines.join('\n');
}

test.each([
  ['nginx', 'auth_request_set $tgefd_x_auth_request_department $upstream_http_x_auth_request_department;'],
  ['nginx', 'proxy_set_header X-Auth-Request-Department $tgefd_x_auth_request_department;'],
  ['caddy', 'copy_headers X-Auth-Request-Department'],
  ['traefik', 'authResponseHeaders: [X-Auth-Request-Department]'],
  ['envoy', '{ exact: x-auth-request-department }'],
])('check-config prints the line of %s: %s', async (door, line) => {
  const text = await checkConfig(door);
  expect(text).toContain('x-auth-request-department: hand the claim "org/unit" on');
  expect(text).toContain(line);
});

test.each(['forward-auth-traefik.yaml', 'forward-auth-envoy.yaml'])('%s has a line to uncomment', async (file) => {
  const text = await readFile(new URL(`../../docs/proxies/${file}`, import.meta.url), 'utf8');
  expect(text).toMatch(/# - (exact: x-auth-request-tenant|X-Auth-Request-Tenant)\n/);
});

for (const { door, program, start } of await documentedProxies()) {
  describeWith([program], `the documented ${door} with its lines for a forwarded claim`, () => {
    let issuer: Issuer;
    let upstream: Upstream;
    let authorizer: StartedDoor;
    let proxy: StartedProxy;
    beforeAll(async () => {
      [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
      authorizer = await startNodeDoor({
        ...jwtEnvironment(issuer),
        ...claims,
        TGEFD_FORWARD_AUTH: door,
        TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
      });
      proxy = await start(authorizer.port, upstream.port, undefined, [], FIELD);
    });
    afterAll(() => Promise.all([proxy, authorizer, upstream, issuer].map((part) => part?.stop())));

    test.each([
      ['that the token has', { 'org/unit': 'sales' }, 'sales'],
      ['that the token does not have', {}, ''],
    ])('hands on a claim %s, and never what a caller sent', async (_, held, value) => {
      const token = await issuer.token({ subject: 'alice', claims: held });
      const answer = await requestRaw(proxy.port, 'GET /v1/metrics HTTP/1.1', [
        `Host: 127.0.0.1:${proxy.port}`,
        `Authorization: Bearer ${token}`,
        `${FIELD}: forged`,
      ]);
      expect(answer.status).toBe(200);
      const sent = (upstream.received.at(-1)?.fields ?? []).filter(
        ([name]) => name.toLowerCase() === FIELD.toLowerCase(),
      );
      expect(sent.map(([, text]) => text).join()).toBe(value);
    });
  });
}
