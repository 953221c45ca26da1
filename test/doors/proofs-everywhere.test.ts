import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { type DocumentedProxy, documentedProxies } from '../support/documented-proxies.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startFunction } from '../support/lambda-runtime.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { createProvingClient, type ProvingClient } from '../support/proofs.ts';
import type { StartedProxy } from '../support/proxy.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { apis, type StartedApi, startApi } from './lambda-apis.ts';

/* Proofs of possession (RFC 9449) through every way in, and a proof that is used at one place and tried at another. */

const [program, proxies] = await Promise.all([redisProgram(), documentedProxies()]);
const RESOURCE = 'https://api.example.com/api';

let issuer: Issuer;
let upstream: Upstream;
let redis: RedisParts;
let holder: ProvingClient;
let token: string;
let doors: { one: StartedDoor; other: StartedDoor; worker: StartedDoor };

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  ...jwtEnvironment(issuer),
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_RESOURCE: RESOURCE,
  TGEFD_REDIS_URL: redis.url,
  TGEFD_REDIS_TOKEN: redis.token,
  TGEFD_REDIS_TIMEOUT_MS: '2000',
  TGEFD_AUDIT_MODE: 'off',
  ...more,
});

describeWith([program], 'a proof of possession', () => {
  beforeAll(async () => {
    [issuer, upstream, redis, holder] = await Promise.all([
      startIssuer(),
      startUpstream(),
      startRedis(program),
      createProvingClient(),
    ]);
    token = await issuer.token({ subject: 'alice', claims: { cnf: { jkt: holder.thumbprint } } });
    const forwarding = { TGEFD_UPSTREAM_URL: upstream.url };
    const behind = { ...forwarding, TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' };
    const [one, other, worker] = await Promise.all([
      startNodeDoor(environment(behind)),
      startNodeDoor(environment({ ...behind, TGEFD_RATE_LIMIT_MODE: 'exact', TGEFD_RATE_LIMIT_PER_MINUTE: '1000' })),
      startWorkerDoor(environment(forwarding)),
    ]);
    doors = { one, other, worker };
  });
  afterAll(() => Promise.all([...Object.values(doors ?? {}), issuer, upstream, redis].map((part) => part?.stop())));

  async function ask(url: string, proof: string, more: Record<string, string> = {}) {
    const answer = await fetch(url, { headers: { authorization: `DPoP ${token}`, dpop: proof, ...more } });
    await answer.body?.cancel();
    return answer;
  }

  test('counts once over all processes and isolates, whatever way in saw it first', async () => {
    const host = 'api.example.com';
    const told = { 'x-forwarded-host': host, 'x-forwarded-proto': 'https' };
    const proof = await holder.prove({ uri: `https://${host}/v1/metrics`, token });
    expect((await ask(`${doors.one.url}/v1/metrics`, proof, told)).status).toBe(200);
    for (const door of [doors.one, doors.other]) {
      const again = await ask(`${door.url}/v1/metrics`, proof, told);
      expect(again.status).toBe(401);
      expect(again.headers.get('www-authenticate')).toMatch(/^DPoP .*error="invalid_dpop_proof"/);
    }
  });

  test('passes one of many requests that race for it at two processes', async () => {
    const told = { 'x-forwarded-host': 'api.example.com' };
    const proof = await holder.prove({ uri: 'http://api.example.com/v1/metrics', token });
    const all = [doors.one, doors.other].flatMap((door) => Array.from({ length: 8 }, () => door));
    const statuses = await Promise.all(
      all.map(async (door) => (await ask(`${door.url}/v1/metrics`, proof, told)).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(all.length - 1);
  });

  test('is told by its trusted scheme and host, and by no other', async () => {
    for (const [uri, fields, status] of [
      [
        'https://api.example.com/v1/metrics',
        { 'x-forwarded-host': 'api.example.com', 'x-forwarded-proto': 'http' },
        401,
      ],
      [
        'https://api.example.com/v1/metrics',
        { 'x-forwarded-host': 'other.example.com', 'x-forwarded-proto': 'https' },
        401,
      ],
      [
        'https://api.example.com:8443/v1/metrics',
        { 'x-forwarded-host': 'api.example.com:8443', 'x-forwarded-proto': 'https' },
        200,
      ],
    ] as const)
      expect((await ask(`${doors.one.url}/v1/metrics`, await holder.prove({ uri, token }), fields)).status, uri).toBe(
        status,
      );
  });

  test('passes the Worker, which believes no forwarded field, once', async () => {
    const url = `${doors.worker.url}/v1/metrics`;
    const proof = await holder.prove({ uri: url, token });
    expect((await ask(url, proof)).status).toBe(200);
    expect((await ask(url, proof)).status).toBe(401);
    const forged = await holder.prove({ uri: 'http://api.example.com/v1/metrics', token });
    expect((await ask(url, forged, { 'x-forwarded-host': 'api.example.com' })).status).toBe(401);
  });
});

describeWith([program, ...proxies.map((proxy) => proxy.program)], 'through the documented proxies', () => {
  let checks: Record<DocumentedProxy['door'], StartedDoor>;
  let started: Record<DocumentedProxy['door'], StartedProxy>;
  beforeAll(async () => {
    [issuer, upstream, redis, holder] = await Promise.all([
      startIssuer(),
      startUpstream(),
      startRedis(program),
      createProvingClient(),
    ]);
    token = await issuer.token({ subject: 'alice', claims: { cnf: { jkt: holder.thumbprint } } });
    const behind = (door: string) =>
      startNodeDoor(
        environment({ TGEFD_FORWARD_AUTH: door, TGEFD_TRUSTED_PROXIES: '127.0.0.1/32', TGEFD_DPOP_NONCE: 'off' }),
      );
    const [nginx, caddy] = await Promise.all([behind('nginx'), behind('caddy')]);
    checks = { nginx, caddy };
    const [first, second] = await Promise.all(
      proxies.map((proxy) => proxy.start(checks[proxy.door].port, upstream.port)),
    );
    started = { nginx: first, caddy: second } as typeof started;
  });
  afterAll(() =>
    Promise.all(
      [...Object.values(started ?? {}), ...Object.values(checks ?? {}), issuer, upstream, redis].map((part) =>
        part?.stop(),
      ),
    ),
  );

  test.each(['nginx', 'caddy'] as const)(
    '%s: a proof names the URI that the caller asked for, and passes once',
    async (door) => {
      const url = `http://127.0.0.1:${started[door].port}/v1/metrics?page=2`;
      const headers = async (uri: string) => ({
        authorization: `DPoP ${token}`,
        dpop: await holder.prove({ uri, token }),
      });
      const good = await headers(url);
      expect((await fetch(url, { headers: good })).status).toBe(200);
      expect(upstream.received.at(-1)?.fields.map(([name]) => name.toLowerCase())).not.toContain('dpop');
      const again = await fetch(url, { headers: good });
      expect(again.status).toBe(401);
      expect(again.headers.get('www-authenticate')).toMatch(/DPoP realm="tgefd", error="invalid_dpop_proof"/);
      for (const uri of [
        `${checks[door].url}/_authorizer/check`,
        url.replace('metrics', 'jobs'),
        url.replace(/:\d+\//, ':1/'),
      ])
        expect((await fetch(url, { headers: await headers(uri) })).status, uri).toBe(401);
      const bearer = await fetch(url, { headers: { ...(await headers(url)), authorization: `Bearer ${token}` } });
      expect(bearer.status).toBe(401);
    },
  );

  test.each(['nginx', 'caddy'] as const)('%s: anybody may read the metadata of the resource', async (door) => {
    for (const path of ['', '/api']) {
      const answer = await fetch(`http://127.0.0.1:${started[door].port}/.well-known/oauth-protected-resource${path}`);
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
      expect(await answer.json()).toMatchObject({ resource: RESOURCE, authorization_servers: [issuer.url] });
    }
    const denied = await fetch(`http://127.0.0.1:${started[door].port}/v1/metrics`);
    expect(denied.headers.get('www-authenticate')).toContain(
      'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/api"',
    );
  });
});

describeWith([program], 'through API Gateway', () => {
  const names = ['REST REQUEST', 'HTTP 1.0', 'HTTP 2.0 simple', 'REST TOKEN'] as const;
  let started: Record<string, StartedApi>;
  beforeAll(async () => {
    [issuer, redis, holder] = await Promise.all([startIssuer(), startRedis(program), createProvingClient()]);
    token = await issuer.token({ subject: 'alice', claims: { cnf: { jkt: holder.thumbprint } } });
    const all = await Promise.all(names.map((name) => startApi(apis[name], environment())));
    started = Object.fromEntries(names.map((name, at) => [name, all[at] as StartedApi]));
  });
  afterAll(() => Promise.all([...Object.values(started ?? {}), issuer, redis].map((part) => part?.stop())));

  const send = (name: string, proof: string) =>
    started[name]?.send({
      method: 'GET',
      target: '/v1/metrics',
      headers: [
        ['Host', 'api.example.com'],
        ['Authorization', `DPoP ${token}`],
        ['DPoP', proof],
      ],
    });

  test.each(names.slice(0, 3))('%s: a proof names the URI with its stage, and counts once', async (name) => {
    const proof = await holder.prove({ uri: 'https://api.example.com/live/v1/metrics', token });
    expect((await send(name, proof))?.status).toBe(200);
    expect((await send(name, proof))?.status).toBe(401);
    expect((await send(name, await holder.prove({ uri: 'https://api.example.com/v1/metrics', token })))?.status).toBe(
      401,
    );
  });

  test('a function of its own publishes the metadata of the resource', async () => {
    const lambda = await startFunction({
      bundle: fileURLToPath(new URL('../../dist/lambda-authorizer.mjs', import.meta.url)),
      handler: 'lambda-authorizer.metadata',
      client: null,
      env: environment(),
    });
    const answer = (await lambda.invoke({}).finally(lambda.stop)) as { body: string };
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'access-control-allow-origin': '*' } });
    expect(JSON.parse(answer.body)).toMatchObject({ resource: RESOURCE, authorization_servers: [issuer.url] });
  });

  test('REST TOKEN: an event without the field of the proof passes no bound token', async () => {
    const proof = await holder.prove({ uri: 'https://api.example.com/live/v1/metrics', token });
    expect((await send('REST TOKEN', proof))?.status).toBe(401);
  });
});
