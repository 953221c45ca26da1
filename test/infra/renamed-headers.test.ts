import { afterEach, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { createEchoServer } from '../../lib/cli/doctor/echo.ts';
import { describeWith } from '../support/describe-with.ts';
import {
  documentedProxies,
  startGatewayCaddy,
  startGatewayHaproxy,
  startGatewayNginx,
} from '../support/documented-proxies.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { caddyProgram, haproxyProgram, nginxProgram } from '../support/proxy.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * Configurations that give an ingress's headers names of their own, behind the documented proxy files: refused until the
 * operator says that the ingress removes them, examined by the doctor, and closed by the lines that `check-config` prints.
 */

const SECRET = 'one-time secret of this examination';
const renamed = {
  TGEFD_MTLS_IDENTITY_HEADER: 'x-dn',
  TGEFD_MTLS_SCOPES_HEADER: 'x-cert-scopes',
  TGEFD_MTLS_ROLE_HEADER: 'x-cert-roles',
  TGEFD_IDENTITY_HEADER: 'x-caller',
} as const;
const names = Object.values(renamed);
const forged = ['X-Dn: CN=admin', 'X-Cert-Scopes: *', 'X-Cert-Roles: admin', 'X-Caller: admin'];

const running: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

function environment(door: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'mtls',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_FORWARD_AUTH: door,
    TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
    TGEFD_DOCTOR_SECRET: SECRET,
    ...renamed,
    ...more,
  };
}

async function run(args: readonly string[], env: Record<string, string>) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const code = await main(args, { env, out: write, err: write });
  return { code, text: lines.join('\n'), lines };
}

test.each(['nginx', 'caddy', 'traefik', 'envoy'])(
  'with %s every renamed header is a problem until the operator says that the ingress removes it',
  async (door) => {
    const refused = await run(['check-config'], environment(door));
    expect(refused.code).toBe(1);
    for (const [variable, name] of Object.entries(renamed))
      expect(refused.text).toContain(`${variable}: found \`${name}\`, which the documented proxy files do not remove`);

    const accepted = await run(
      ['check-config'],
      environment(door, { TGEFD_INGRESS_STRIPS: 'X-Dn, x-cert-scopes x-cert-roles,x-caller' }),
    );
    expect(accepted.code).toBe(0);
    for (const name of names) expect(accepted.text).toContain(`${name}: remove it from callers`);
    expect(accepted.text).toContain('x-caller: hand the identity on');
  },
);

test.each([
  ['the gateway strips by itself', { TGEFD_FORWARD_AUTH: 'off', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9' }],
  [
    'the documented families are removed',
    {
      TGEFD_FORWARD_AUTH: 'caddy',
      TGEFD_MTLS_IDENTITY_HEADER: 'ssl-client-dn',
      TGEFD_MTLS_SCOPES_HEADER: 'x-ssl-scopes',
      TGEFD_MTLS_ROLE_HEADER: 'x-tgefd-roles',
      TGEFD_IDENTITY_HEADER: 'X-Auth-Request-Email',
    },
  ],
])('nothing has to be said where %s', async (_, more) => {
  expect((await run(['check-config'], environment('off', more))).code).toBe(0);
});

for (const { door, program, start } of await documentedProxies()) {
  describeWith([program], `the documented ${door} with renamed headers`, () => {
    const begin = async (strips: readonly string[]) => {
      const echo = await listenOnLoopback(createEchoServer());
      const authorizer = await startNodeDoor(environment(door, { TGEFD_INGRESS_STRIPS: names.join(',') }));
      const proxy = await start(authorizer.port, echo.port, undefined, strips);
      running.push(proxy, authorizer, { stop: echo.down });
      return proxy.port;
    };
    const examine = (port: number) =>
      run(['doctor', 'ingress', '--url', `http://127.0.0.1:${port}`], { TGEFD_DOCTOR_SECRET: SECRET });

    test('has a hole for every name that it does not remove, which the doctor finds without being told the names', async () => {
      const { code, text } = await examine(await begin([]));
      expect(code).toBe(1);
      for (const name of names) expect(text.toLowerCase()).toMatch(new RegExp(`hole .*\`${name}\``));
    });

    test.each(names)('has one hole where the line for %s alone is missing', async (missing) => {
      const { code, text } = await examine(await begin(names.filter((name) => name !== missing)));
      expect(code).toBe(1);
      const holes = text
        .toLowerCase()
        .split('\n')
        .filter((line) => line.startsWith('hole'));
      expect(holes.length).toBeGreaterThan(0);
      expect(holes.every((line) => line.includes(missing))).toBe(true);
    });

    test('is closed by the lines: no hole, and a stranger is nobody', async () => {
      const port = await begin(names);
      const { code, text } = await examine(port);
      expect(text).toContain('no hole found');
      expect(code).toBe(0);
      const answer = await requestRaw(port, 'GET /v1/metrics HTTP/1.1', [`Host: 127.0.0.1:${port}`, ...forged]);
      expect(answer.status).toBe(401);
    });
  });
}

test('the gateway warns of every renamed header that a trusted proxy is believed, and prints the lines', async () => {
  const gateway = { TGEFD_FORWARD_AUTH: 'off', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9' };
  const warned = await run(['check-config'], environment('off', gateway));
  expect(warned.code).toBe(0);
  for (const [variable, name] of Object.entries(renamed)) {
    expect(warned.text).toContain(`${variable}: found \`${name}\`, which a trusted proxy is believed`);
    expect(warned.text).toContain(`${name}: remove it from callers: nginx`);
  }
  const confirmed = await run(
    ['check-config'],
    environment('off', { ...gateway, TGEFD_INGRESS_STRIPS: names.join(',') }),
  );
  expect(confirmed.text).not.toContain('which a trusted proxy is believed');
  const { TGEFD_TRUSTED_PROXIES: _nobody, ...alone } = environment('off', { ...gateway, TGEFD_AUTH_MODE: 'none' });
  expect((await run(['check-config'], alone)).text).not.toContain('which a trusted proxy is believed');
});

const [nginx, caddy, haproxy] = await Promise.all([nginxProgram(), caddyProgram(), haproxyProgram()]);
for (const [name, program, start] of [
  ['nginx', nginx, startGatewayNginx],
  ['Caddy', caddy, startGatewayCaddy],
  ['HAProxy', haproxy, startGatewayHaproxy],
] as const) {
  describeWith([program], `the documented ${name} in front of a gateway with renamed headers`, () => {
    const begin = async (strips: readonly string[]) => {
      const upstream = await startUpstream();
      const more = { TGEFD_FORWARD_AUTH: 'off', TGEFD_UPSTREAM_URL: upstream.url };
      const gateway = await startNodeDoor(environment('off', more));
      const proxy = await start(program, gateway.port, strips);
      running.push(proxy, gateway, upstream);
      return proxy.port;
    };
    const stranger = (port: number, fields: readonly string[]) =>
      requestRaw(port, 'GET /v1/metrics HTTP/1.1', [`Host: 127.0.0.1:${port}`, ...fields]);
    const examine = (port: number) =>
      run(['doctor', 'ingress', '--url', `http://127.0.0.1:${port}`], { TGEFD_DOCTOR_SECRET: SECRET });

    test('has a hole for every name that it does not remove, which the doctor finds', async () => {
      const port = await begin([]);
      expect((await stranger(port, forged)).status).not.toBe(401);
      const { code, text } = await examine(port);
      expect(code).toBe(1);
      for (const one of names) expect(text.toLowerCase()).toMatch(new RegExp(`hole .*\`${one}\``));
    });

    test('is closed by the lines that check-config prints: no hole, and a stranger is nobody', async () => {
      const port = await begin(names);
      expect((await stranger(port, forged)).status).toBe(401);
      const { code, text } = await examine(port);
      expect(text).toContain('no hole found');
      expect(code).toBe(0);
    });
  });
}
