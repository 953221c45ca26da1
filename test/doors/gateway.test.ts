import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { startGatewayHaproxy } from '../support/documented-proxies.ts';
import type { DoorEnv, StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { haproxyProgram } from '../support/proxy.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { makeCredentials } from './credentials.ts';
import { type DoorCase, doorTable } from './table.ts';

const haproxy = await haproxyProgram();

/** The Node door as the documented HAProxy shows it to callers. */
async function startBehindHaproxy(env: DoorEnv): Promise<StartedDoor> {
  const door = await startNodeDoor({ ...env, TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' });
  const proxy = await startGatewayHaproxy(haproxy, door.port);
  const stop = async () => {
    await proxy.stop();
    await door.stop();
  };
  return { ...door, url: `http://127.0.0.1:${proxy.port}`, port: proxy.port, stop };
}

const doors = [
  { name: 'on node', start: startNodeDoor, programs: [] },
  { name: 'on workerd', start: startWorkerDoor, programs: [] },
  { name: 'on node behind the documented HAProxy', start: startBehindHaproxy, programs: [haproxy] },
];

let issuer: Issuer;
let upstream: Upstream;
let credentials: Awaited<ReturnType<typeof makeCredentials>>;

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
  credentials = await makeCredentials(issuer);
});
afterAll(() => Promise.all([issuer?.stop(), upstream?.stop()]));

/** The configuration that the table speaks of. */
function environment() {
  return {
    ...jwtEnvironment(issuer),
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
  };
}

function fieldsOf(request: DoorCase): string[] {
  return [
    'Host: api.example',
    ...(request.credential ? [`Authorization: Bearer ${credentials[request.credential]}`] : []),
    ...(request.fields ?? []).map(([name, value]) => `${name}: ${value}`),
    ...(request.body === undefined ? [] : [`Content-Length: ${request.body.length}`]),
  ];
}

function send(door: StartedDoor, request: DoorCase) {
  return requestRaw(
    door.port,
    `${request.method ?? 'GET'} ${request.target} HTTP/1.1`,
    fieldsOf(request),
    request.body,
  );
}

for (const { name, start, programs } of doors)
  describeWith(programs, `the gateway ${name}`, () => {
    let door: StartedDoor;
    beforeAll(async () => {
      door = await start(environment());
    });
    afterAll(() => door?.stop());

    test.each(doorTable.map((request) => [request.name, request] as const))('%s', async (_name, request) => {
      const begun = upstream.counts.begun;
      const answer = await send(door, request);
      const { status, code, challenge, allow } = request.expect;
      // What is allowed gets the upstream's own answer, 202 for a job that was taken on.
      expect(status === 200 && answer.status === 202 ? 200 : answer.status).toBe(status);
      expect(answer.field('www-authenticate')).toBe(challenge ?? null);
      if (allow !== undefined) expect(answer.field('allow')).toBe(allow);
      expect(answer.field('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
      expect(upstream.counts.begun - begun).toBe(status === 200 ? 1 : 0);
      if (code === undefined) return;
      expect(answer.field('content-type')).toBe('application/problem+json');
      expect(answer.field('cache-control')).toBe('no-store');
      if (request.method !== 'HEAD')
        expect(JSON.parse(answer.body)).toMatchObject({ status, code, request_id: answer.field('x-request-id') });
    });

    test('every decision left exactly one record, and nothing of a credential is in any line', async () => {
      const recorded = () => door.lines.filter((line) => line.includes('"type":"audit"'));
      await expect.poll(() => recorded().length, { timeout: 5000 }).toBe(doorTable.length);
      const records = recorded().map((line) => JSON.parse(line));
      expect(new Set(records.map(({ id }) => id)).size).toBe(doorTable.length);
      const text = door.lines.join('\n');
      for (const token of Object.values(credentials))
        for (const part of token.split('.')) if (part.length > 12) expect(text).not.toContain(part);
      for (const identity of ['alice', 'bob', 'carol', 'verbose=1']) expect(text).not.toContain(identity);
    });
  });
