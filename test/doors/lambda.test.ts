import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { makeCredentials } from './credentials.ts';
import { type ApiName, apis, runtimeName, type StartedApi, startApi } from './lambda-apis.ts';
import { type DoorCase, doorTable } from './table.ts';

let issuer: Issuer;
let credentials: Awaited<ReturnType<typeof makeCredentials>>;

beforeAll(async () => {
  issuer = await startIssuer();
  credentials = await makeCredentials(issuer);
});
afterAll(() => issuer?.stop());

/** The configuration that the table speaks of. */
function environment() {
  return {
    ...jwtEnvironment(issuer),
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
    TGEFD_RBAC_ENABLED: 'true',
  };
}

function authorization(request: DoorCase): [string, string][] {
  return [
    ...(request.credential ? [['Authorization', `Bearer ${credentials[request.credential]}`] as [string, string]] : []),
    ...(request.fields ?? []).map(([name, value]): [string, string] => [name, value]),
  ];
}

/** HTTP APIs decode the path once before anybody sees it, and refuse what they cannot decode. */
const decodedByHttpApis: ReadonlyMap<string, number> = new Map([
  ['path with one encoded dot', 200],
  ['path with half a percent-encoding', 400],
  ['path with a percent-encoding that is none', 400],
  ['path with invalid UTF-8', 400],
  ['path with an overlong encoding', 400],
  ['an ambiguous path without credentials is refused before anybody asks for them', 401],
]);

/** What an API of this kind can tell of the answer that the table asks for. */
function expressed(name: ApiName, request: DoorCase): { status: number; code?: string } {
  const { status, code } = request.expect;
  const rest = name.startsWith('REST');
  const decoded = rest ? undefined : decodedByHttpApis.get(request.name);
  if (decoded !== undefined) return { status: decoded };
  const sent = authorization(request).some(([field]) => field.toLowerCase() === 'authorization');
  if (name === 'REST TOKEN' && !sent) return { status: 401, code: 'credentials_invalid' };
  // A policy is judged on the path as it was sent: one that was needlessly encoded is not found in it.
  if (status === 200 && rest && request.target.includes('%6D')) return { status: 403 };
  if (status === 200) return { status };
  if (status === 401) return { status, ...(rest && { code: 'credentials_invalid' }) };
  return { status: 403, ...(rest && code !== undefined && { code }) };
}

describe.each(Object.keys(apis) as ApiName[])(`API Gateway, %s, on ${runtimeName}`, (name) => {
  let api: StartedApi;
  beforeAll(async () => {
    api = await startApi(apis[name], environment());
  });
  afterAll(() => api?.stop());

  test.each(doorTable.map((request) => [request.name, request] as const))('%s', async (_name, request) => {
    const before = api.forwarded.length;
    const { method = 'GET', target } = request;
    const answer = await api.send({ method, target, headers: authorization(request) });
    const { status, code } = expressed(name, request);
    expect({ status: answer.status, body: answer.body }).toMatchObject({ status });
    expect(api.forwarded.length - before).toBe(status === 200 ? 1 : 0);
    if (code === undefined) return;
    const { challenge, allow } = request.expect;
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('allow')).toBe(allow ?? null);
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer realm="tgefd"' : (challenge ?? null));
  });

  test('every decision left exactly one record, and nothing of a credential is in any line', async () => {
    const recorded = () => api.lambda.lines.filter((line) => line.includes('"type":"audit"'));
    await expect.poll(() => recorded().length, { timeout: 5000 }).toBe(api.events.length);
    const records = recorded().map((line) => JSON.parse(line));
    expect(new Set(records.map(({ id }) => id)).size).toBe(api.events.length);
    const text = api.lambda.lines.join('\n');
    for (const token of Object.values(credentials))
      for (const part of token.split('.')) if (part.length > 12) expect(text).not.toContain(part);
    for (const identity of ['alice', 'bob', 'carol', 'verbose=1']) expect(text).not.toContain(identity);
  });

  test('an allowed request tells the upstream who calls', async () => {
    await api.send({
      target: '/v1/metrics',
      headers: [
        ['Authorization', `Bearer ${credentials['metrics only']}`],
        ['X-Auth-Request-User', 'admin'],
      ],
    });
    expect(api.forwarded.at(-1)?.fields).toMatchObject({
      'x-auth-request-user': 'carol',
      'x-auth-request-scopes': 'metrics',
      'x-auth-request-method': 'jwt',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
    });
  });
});
