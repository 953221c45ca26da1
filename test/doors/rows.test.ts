import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import type { StartedProxy } from '../support/proxy.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { apis, runtimeName, type StartedApi, startApi } from './lambda-apis.ts';

/*
 * Rows with tails, lists of scopes, issuers, claims and ways, in one policy document, through the real ways in: the Node
 * gateway (a YAML file), the Worker (a variable), the documented nginx and Caddy, and API Gateway.
 */

type Caller =
  | 'alice'
  | 'alice of B'
  | 'bob'
  | 'with jobs'
  | 'with discover'
  | 'of the team'
  | 'of another team'
  | 'nobody';

let [a, b]: Issuer[] = [];
let upstream: Upstream;
let folder: string;
let tokens: Readonly<Record<Exclude<Caller, 'nobody'>, string>>;

beforeAll(async () => {
  [a, b, upstream] = await Promise.all([startIssuer(), startIssuer(), startUpstream()]);
  folder = await mkdtemp(join(tmpdir(), 'policy-'));
  tokens = {
    alice: await a.token({ subject: 'alice', claims: { tenant: 7, path: 'a b' } }),
    'alice of B': await b.token({ subject: 'alice' }),
    bob: await a.token({ subject: 'bob' }),
    'with jobs': await a.token({ subject: 'alice', scope: 'jobs' }),
    'with discover': await a.token({ subject: 'alice', scope: 'discover' }),
    'of the team': await a.token({ subject: 'alice', claims: { org: { teams: ['dev', 'ops-eu'] } } }),
    'of another team': await a.token({ subject: 'alice', claims: { org: { teams: ['dev'] } } }),
  };
});
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop(), upstream?.stop()]);
  if (folder) await rm(folder, { recursive: true });
});

function policy() {
  const row = { method: 'GET', scope: null, budget: 'read' };
  return {
    $schema: 'https://example.com/policy.schema.json',
    preset: 'none',
    issuers: [a, b].map((issuer) => ({
      issuer: [issuer?.url, `${issuer?.url}/`],
      audience: issuer?.audience,
      keys: issuer?.keySetUrl,
    })),
    endpoints: [
      { ...row, path: '/users/{id}', claims: { sub: '{id}' } },
      { ...row, path: '/tenants/{id}', claims: { tenant: '{id}' } },
      { ...row, path: '/places/{id}', claims: { path: '{id}' } },
      { ...row, path: '/files/{path...}', scope: { any: ['jobs', 'metrics'] } },
      { ...row, method: 'PUT', path: '/files/{path...}', scope: { all: ['jobs', 'metrics'] } },
      { ...row, path: '/files/secret', scope: 'discover' },
      { ...row, method: 'POST', path: '/files/{name}', scope: 'jobs' },
      { ...row, path: '/a', issuers: [`${a?.url}/`] },
      { ...row, path: '/team', claims: { 'org.teams': 'ops-*' } },
    ],
    forward_claims: { tenant: 'x-auth-request-tenant' },
  };
}

interface Case {
  readonly method?: string;
  readonly target: string;
  readonly caller: Caller;
  readonly status: number;
  readonly code?: string;
  readonly challenge?: string;
}

const scope = (names: string) => `Bearer realm="tgefd", error="insufficient_scope", scope="${names}"`;
const other = 'Bearer realm="tgefd", error="insufficient_scope"';
const forbidden = { status: 403, code: 'insufficient_scope' };
const table: readonly Case[] = [
  { target: '/users/alice', caller: 'alice', status: 200 },
  { target: '/users/alice', caller: 'alice of B', status: 200 },
  { target: '/users/alice', caller: 'bob', ...forbidden, challenge: other },
  { target: '/users/Alice', caller: 'alice', ...forbidden, challenge: other },
  {
    target: '/users/alice',
    caller: 'nobody',
    status: 401,
    code: 'credentials_missing',
    challenge: 'Bearer realm="tgefd"',
  },
  { target: '/tenants/7', caller: 'alice', status: 200 },
  { target: '/tenants/07', caller: 'alice', ...forbidden, challenge: other },
  { target: '/tenants/7', caller: 'bob', ...forbidden, challenge: other },
  { target: '/places/a%20b', caller: 'alice', status: 200 },
  { target: '/files/a', caller: 'with jobs', status: 200 },
  { target: '/files/a/b/c', caller: 'with jobs', status: 200 },
  { target: '/files/a', caller: 'with discover', ...forbidden, challenge: scope('jobs metrics') },
  { target: '/files/secret', caller: 'with jobs', ...forbidden, challenge: scope('discover') },
  { target: '/files/secret', caller: 'with discover', status: 200 },
  { target: '/files/secret/x', caller: 'with discover', ...forbidden, challenge: scope('jobs metrics') },
  { method: 'PUT', target: '/files/a/b', caller: 'alice', status: 200 },
  { method: 'PUT', target: '/files/a/b', caller: 'with jobs', ...forbidden, challenge: scope('jobs metrics') },
  { method: 'POST', target: '/files/secret', caller: 'with jobs', status: 200 },
  { method: 'POST', target: '/files/a/b', caller: 'with jobs', status: 405, code: 'method_not_allowed' },
  { target: '/files', caller: 'alice', status: 404, code: 'endpoint_unknown' },
  { target: '/files/', caller: 'alice', status: 404, code: 'endpoint_unknown' },
  { target: '/v1/metrics', caller: 'alice', status: 404, code: 'endpoint_unknown' },
  { target: '/a', caller: 'alice', status: 200 },
  { target: '/a', caller: 'alice of B', ...forbidden, challenge: other },
  { target: '/team', caller: 'of the team', status: 200 },
  { target: '/team', caller: 'of another team', ...forbidden, challenge: other },
  { target: '/team', caller: 'alice', ...forbidden, challenge: other },
];
const titled = table.map((row) => [`${row.method ?? 'GET'} ${row.target}, ${row.caller}: ${row.status}`, row] as const);

function common(): Record<string, string> {
  return { TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_RBAC_ENABLED: 'true' };
}

async function policyFile(): Promise<string> {
  // JSON is YAML; a comment makes it YAML only.
  await writeFile(join(folder, 'policy.yaml'), `# reviewed\n${JSON.stringify(policy(), null, 2)}\n`);
  return join(folder, 'policy.yaml');
}

/** What a caller sees through a way in that passes all of the answer on. */
function suite(door: () => { readonly port: number }) {
  test.each(titled)('%s', async (_, { method = 'GET', target, caller, status, code, challenge }) => {
    const before = upstream.received.length;
    const fields = [
      `Host: 127.0.0.1:${door().port}`,
      'X-Auth-Request-Tenant: forged',
      ...(caller === 'nobody' ? [] : [`Authorization: Bearer ${tokens[caller]}`]),
      ...(method === 'GET' ? [] : ['Content-Length: 2']),
    ];
    const answer = await requestRaw(
      door().port,
      `${method} ${target} HTTP/1.1`,
      fields,
      method === 'GET' ? undefined : '{}',
    );
    const forwarded = upstream.received.slice(before);
    if (status !== 200) {
      expect(answer.status).toBe(status);
      expect(forwarded).toEqual([]);
      expect(JSON.parse(answer.body)).toMatchObject({ status, code });
      expect(answer.field('www-authenticate')).toBe(challenge ?? null);
      for (const secret of ['alice', 'ops', 'tenant']) expect(answer.body).not.toContain(secret);
      return;
    }
    expect(forwarded).toMatchObject([{ method, target }]);
    const sent = Object.fromEntries((forwarded[0]?.fields ?? []).map(([name, value]) => [name.toLowerCase(), value]));
    expect(sent['x-auth-request-issuer']).toBe(caller === 'alice of B' ? b?.url : a?.url);
    expect(sent['x-auth-request-tenant'] ?? '').toBe(caller === 'alice' ? '7' : '');
  });
}

describe('rows of a policy file, on node', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startNodeDoor({
      ...common(),
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_POLICY_FILE: await policyFile(),
    });
  });
  afterAll(() => door?.stop());
  suite(() => door);

  test('records name the reason and the claim, never a value', () => {
    const reasons = door.lines
      .filter((line) => line.includes('"type":"audit"'))
      .map((line) => JSON.parse(line))
      .map(({ reason, reason_detail }) => `${reason} ${reason_detail}`);
    expect(reasons).toContain('claim_mismatch sub');
    expect(reasons).toContain('claim_mismatch org.teams');
    expect(reasons).toContain('issuer_not_allowed null');
    expect(door.lines.join('\n')).not.toContain('ops-eu');
  });
});

describe('rows of a policy variable, on workerd', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startWorkerDoor({
      ...common(),
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_POLICY: JSON.stringify(policy()),
    });
  });
  afterAll(() => door?.stop());
  suite(() => door);
});

for (const { door: proxyName, program, start } of await documentedProxies())
  describeWith([program], `rows behind the documented ${proxyName}`, () => {
    let authorizer: StartedDoor;
    let proxy: StartedProxy;
    beforeAll(async () => {
      authorizer = await startNodeDoor({
        ...common(),
        TGEFD_FORWARD_AUTH: proxyName,
        TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
        // The documented files carry no claims until lines for them are added.
        TGEFD_POLICY: JSON.stringify({ ...policy(), forward_claims: {} }),
      });
      proxy = await start(authorizer.port, upstream.port);
    });
    afterAll(async () => {
      await proxy?.stop();
      await authorizer?.stop();
    });

    test.each(titled)('%s', async (_, { method = 'GET', target, caller, status, code }) => {
      const before = upstream.received.length;
      const fields = [
        `Host: 127.0.0.1:${proxy.port}`,
        'X-Auth-Request-Issuer: https://forged.example',
        ...(caller === 'nobody' ? [] : [`Authorization: Bearer ${tokens[caller]}`]),
        ...(method === 'GET' ? [] : ['Content-Length: 2']),
      ];
      const answer = await requestRaw(
        proxy.port,
        `${method} ${target} HTTP/1.1`,
        fields,
        method === 'GET' ? undefined : '{}',
      );
      const forwarded = upstream.received.slice(before);
      if (status !== 200) {
        expect(answer.status).toBe(status);
        expect(forwarded).toEqual([]);
        expect(JSON.parse(answer.body)).toMatchObject({ code });
        return;
      }
      expect(forwarded).toMatchObject([{ method, target }]);
      const issuers = (forwarded[0]?.fields ?? []).filter(([name]) => name.toLowerCase() === 'x-auth-request-issuer');
      expect(issuers.map(([, value]) => value)).toEqual([caller === 'alice of B' ? b?.url : a?.url]);
    });
  });

describe.each(['REST REQUEST', 'HTTP 2.0 simple', 'HTTP 2.0 IAM'] as const)(
  `rows through API Gateway, %s, on ${runtimeName}`,
  (name) => {
    let api: StartedApi;
    beforeAll(async () => {
      api = await startApi(apis[name], { ...common(), TGEFD_POLICY: JSON.stringify(policy()) });
    });
    afterAll(() => api?.stop());

    test.each(titled)('%s', async (_, { method = 'GET', target, caller, status, code }) => {
      // HTTP APIs decode the path before anybody sees it: a space in it can then be no canonical path.
      const decoded = !name.startsWith('REST') && target.includes('%20');
      const before = api.forwarded.length;
      const headers: [string, string][] = caller === 'nobody' ? [] : [['Authorization', `Bearer ${tokens[caller]}`]];
      const answer = await api.send({ method, target, headers });
      const expected = status === 200 ? (decoded ? [200, 403] : [200]) : status === 401 ? [401] : [403];
      expect(expected).toContain(answer.status);
      expect(api.forwarded.length - before).toBe(answer.status === 200 ? 1 : 0);
      if (answer.status !== 200 && status !== 401 && name.startsWith('REST'))
        expect(JSON.parse(answer.body)).toMatchObject({ code });
      if (answer.status === 200)
        expect(api.forwarded.at(-1)?.fields).toMatchObject({
          'x-auth-request-issuer': caller === 'alice of B' ? b?.url : a?.url,
        });
    });

    test('says that such rows must not be cached, and answers nothing where they would be', async () => {
      expect(api.lambda.lines.join('\n')).toContain('endpoints_must_not_be_cached');
      const kept = await startApi(
        { ...apis[name], ttlSeconds: 300 },
        { ...common(), TGEFD_POLICY: JSON.stringify(policy()), TGEFD_AUTHORIZER_TTL_SEC: '300' },
      );
      try {
        const answer = await kept.send({
          target: '/users/alice',
          headers: [['Authorization', `Bearer ${tokens.alice}`]],
        });
        expect(answer.status).toBeGreaterThanOrEqual(500);
        expect(kept.lambda.lines.join('\n')).toContain('TGEFD_AUTHORIZER_TTL_SEC must be 0 with these endpoints');
      } finally {
        await kept.stop();
      }
    });
  },
);
