import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../support/describe-with.ts';
import { documentedProxies } from '../../support/documented-proxies.ts';
import type { StartedDoor } from '../../support/door.ts';
import { startNodeDoor } from '../../support/node-door.ts';
import type { StartedProxy } from '../../support/proxy.ts';
import { requestRaw } from '../../support/raw-http.ts';
import { startUpstream, type Upstream } from '../../support/upstream.ts';
import { startWorkerDoor } from '../../support/worker-door.ts';
import { apis, runtimeName, type StartedApi, startApi } from '../lambda-apis.ts';
import { signProviderTokens } from './tokens.ts';

/*
 * Tokens as fourteen providers send them, and near misses, through every way in. All keys share one key id, and all issuers
 * stand in one configuration, so that a mix-up of issuers would let a near miss pass.
 */
const { environment, cases } = await signProviderTokens();
const table = cases.map((one) => [one.title, one] as const);
const lambdaTable = table.filter(([, { token }]) => token.length < 6_000);

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream?.stop());

function lastFields(): Record<string, string> {
  const fields = upstream.received.at(-1)?.fields ?? [];
  return Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
}

describe.each([
  ['node', startNodeDoor],
  ['workerd', startWorkerDoor],
] as const)('tokens of every provider at the gateway on %s', (_name, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start({ ...environment, TGEFD_UPSTREAM_URL: upstream.url });
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
        ...environment,
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
    api = await startApi(apis['HTTP 2.0 IAM'], environment);
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
