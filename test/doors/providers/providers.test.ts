import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { providerNames } from '../../../lib/authenticate/providers/provider.ts';
import { describeWith } from '../../support/describe-with.ts';
import { documentedProxies } from '../../support/documented-proxies.ts';
import type { StartedDoor } from '../../support/door.ts';
import { type LoopbackServer, listenOnLoopback } from '../../support/loopback-server.ts';
import { startNodeDoor } from '../../support/node-door.ts';
import type { StartedProxy } from '../../support/proxy.ts';
import { requestRaw } from '../../support/raw-http.ts';
import { startUpstream, type Upstream } from '../../support/upstream.ts';
import { startWorkerDoor } from '../../support/worker-door.ts';
import { apis, runtimeName, type StartedApi, startApi } from '../lambda-apis.ts';
import { signProviderTokens } from './tokens.ts';

/*
 * Tokens as fourteen providers send them, and near misses, through every way in. All keys share one key id, and all issuers
 * stand in one configuration, so that a mix-up of issuers would let a near miss pass. The key sets are fetched over HTTP
 * behind every way in; in front of Node and the Worker they also come out of the configuration, before Node out of files.
 */
const { environment, environmentWith, keySetOf, cases } = await signProviderTokens();
const table = cases.map((one) => [one.title, one] as const);
const lambdaTable = table.filter(([, { token }]) => token.length < 6_000);

let upstream: Upstream;
let keyServer: LoopbackServer;
let folder: string;
let fetched: Set<string>;
beforeAll(async () => {
  upstream = await startUpstream();
  fetched = new Set();
  keyServer = await listenOnLoopback(
    createServer((request, response) => {
      const provider = providerNames.find((name) => request.url === `/${name}/keys`);
      if (provider === undefined) return void response.writeHead(404).end();
      fetched.add(provider);
      response.writeHead(200, { 'content-type': 'application/json' }).end(keySetOf(provider));
    }),
  );
  folder = await mkdtemp(join(tmpdir(), 'tgefd-provider-keys-'));
  for (const name of providerNames) await writeFile(join(folder, name), keySetOf(name));
});
afterAll(async () => {
  await Promise.all([upstream?.stop(), keyServer?.down()]);
  await rm(folder, { recursive: true, force: true });
});

const sources = {
  inline: () => environment,
  'over HTTP': () => environmentWith((name) => `http://127.0.0.1:${keyServer.port}/${name}/keys`),
  'in files': () => environmentWith((name) => ({ file: join(folder, name) })),
} as const;

function lastFields(): Record<string, string> {
  const fields = upstream.received.at(-1)?.fields ?? [];
  return Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
}

describe.each([
  ['node', 'inline', startNodeDoor],
  ['node', 'over HTTP', startNodeDoor],
  ['node', 'in files', startNodeDoor],
  ['workerd', 'inline', startWorkerDoor],
  ['workerd', 'over HTTP', startWorkerDoor],
] as const)('tokens of every provider at the gateway on %s, keys %s', (_name, source, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    fetched.clear();
    door = await start({ ...sources[source](), TGEFD_UPSTREAM_URL: upstream.url });
  });
  afterAll(() => door?.stop());

  test.each(table)('%s', async (_title, { token, target, status, user, issuer }) => {
    const answer = await requestRaw(door.port, `GET ${target} HTTP/1.1`, [
      'Host: a.example',
      `Authorization: Bearer ${token}`,
    ]);
    expect(answer.status).toBe(status);
    if (status === 200)
      expect(lastFields()).toMatchObject({ 'x-auth-request-user': user, 'x-auth-request-issuer': issuer });
  });

  test('each key set came from where it was named', () => {
    expect(fetched.size).toBe(source === 'over HTTP' ? providerNames.length : 0);
  });

  test('nothing of a token is in any line', () => {
    const text = door.lines.join('\n');
    for (const { token } of cases) for (const part of token.split('.').slice(1)) expect(text).not.toContain(part);
  });
});

for (const { door: proxyName, program, start } of await documentedProxies()) {
  if (proxyName !== 'nginx') continue;
  describeWith([program], 'tokens of every provider behind the documented nginx', () => {
    let authorizer: StartedDoor;
    let proxy: StartedProxy;
    beforeAll(async () => {
      authorizer = await startNodeDoor({
        ...sources['over HTTP'](),
        TGEFD_FORWARD_AUTH: 'nginx',
        TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
      });
      proxy = await start(authorizer.port, upstream.port);
    });
    afterAll(async () => {
      await proxy?.stop();
      await authorizer?.stop();
    });

    test.each(table)('%s', async (_title, { token, target, status, user, issuer }) => {
      const answer = await requestRaw(proxy.port, `GET ${target} HTTP/1.1`, [
        `Host: 127.0.0.1:${proxy.port}`,
        `Authorization: Bearer ${token}`,
      ]);
      expect(answer.status).toBe(status);
      if (status === 200)
        expect(lastFields()).toMatchObject({ 'x-auth-request-user': user, 'x-auth-request-issuer': issuer });
    });
  });
}

describe(`tokens of every provider at API Gateway, on ${runtimeName}`, () => {
  let api: StartedApi;
  beforeAll(async () => {
    api = await startApi(apis['HTTP 2.0 IAM'], sources['over HTTP']());
  });
  afterAll(() => api?.stop());

  test.each(lambdaTable)('%s', async (_title, { token, target, status, user, issuer }) => {
    const answer = await api.send({ target, headers: [['authorization', `Bearer ${token}`]] });
    expect(answer.status).toBe(status);
    if (status !== 200) return;
    expect(api.forwarded.at(-1)?.fields).toMatchObject({
      'x-auth-request-user': user,
      'x-auth-request-issuer': issuer,
    });
  });
});
