import { beforeAll, describe, expect, test } from 'vitest';
import type { Runtime } from '../../../lib/compose/runtime.ts';
import { cliPlatform } from '../../../lib/platform/cli/platform.ts';
import { type PolicyCase, readCases } from '../../../lib/policy/cases/case.ts';
import { createCaseDecision, type DecideCase } from '../../../lib/policy/cases/decide.ts';
import { caseLines, judge, junit } from '../../../lib/policy/cases/report.ts';
import { loadPolicy } from '../../../lib/policy/load.ts';

const document = JSON.stringify({
  preset: 'none',
  issuers: [
    {
      issuer: 'https://a.example',
      audience: 'api',
      keys: 'https://a.example/keys',
      roles: 'realm.roles',
      role_scopes: { editor: ['items:write'] },
    },
    { issuer: 'https://b.example', audience: 'api', keys: 'https://b.example/keys', require: { tenant: 't1' } },
  ],
  endpoints: [
    { method: 'GET', path: '/items/{id}', scope: 'items:read', budget: 'read' },
    { method: 'PUT', path: '/items/{id}', scope: 'items:write', budget: 'heavy', auth: 'jwt' },
    { method: 'GET', path: '/users/{user}', scope: null, budget: 'none', claims: { sub: '{user}' } },
    { method: 'POST', path: '/mcp', scope: 'mcp:use', budget: 'none', mcp: { method: 'tools/call' } },
    {
      method: 'POST',
      path: '/mcp',
      scope: 'mcp:delete',
      budget: 'none',
      mcp: { method: 'tools/call', name: 'delete_*' },
    },
  ],
  mtls: [{ san: 'URI:spiffe://td/reader', scopes: ['items:read'] }],
});

let decide: DecideCase;
beforeAll(async () => {
  const loaded = loadPolicy(document, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const platform = cliPlatform({ env: {}, err: () => undefined }, 'gateway', true);
  const runtime = (clock: () => number): Runtime => ({ ...platform.runtime(loaded.config), clock });
  decide = await createCaseDecision(loaded.config, runtime, Date.now);
});

const get = { method: 'GET', path: '/items/7' };

describe('a case is decided by the real pipeline', () => {
  test.each<[string, Omit<PolicyCase, 'expect'>, object]>([
    ['no credential', { request: get }, { status: 401, code: 'credentials_missing' }],
    [
      'the scope',
      { request: get, claims: { scope: 'items:read' } },
      { status: 200, scope: 'items:read', budget: 'read' },
    ],
    ['another scope', { request: get, claims: { scope: 'x' } }, { status: 403, reason: 'scope_missing' }],
    [
      'a role of the issuer',
      { request: { method: 'PUT', path: '/items/7' }, claims: { realm: { roles: ['editor'] } } },
      { status: 200, budget: 'heavy' },
    ],
    [
      'another audience',
      { request: get, claims: { aud: 'other', scope: 'items:read' } },
      { status: 401, reason: 'token_claim_invalid' },
    ],
    [
      'an unknown issuer',
      { request: get, claims: { iss: 'https://c.example' } },
      { status: 401, reason: 'token_issuer_unknown' },
    ],
    [
      'a required claim that is missing',
      { request: get, claims: { iss: 'https://b.example', scope: 'items:read' } },
      { status: 401 },
    ],
    [
      'a required claim',
      { request: get, claims: { iss: 'https://b.example', scope: 'items:read', tenant: 't1' } },
      { status: 200 },
    ],
    ['an object of one’s own', { request: { path: '/users/alice' }, claims: { sub: 'alice' } }, { status: 200 }],
    [
      'an object of somebody else',
      { request: { path: '/users/bob' }, claims: { sub: 'alice' } },
      { status: 403, reason: 'claim_mismatch' },
    ],
    ['an unknown path', { request: { path: '/nothing' }, claims: {} }, { status: 404, code: 'endpoint_unknown' }],
    ['an ambiguous path', { request: { path: '/items/..' }, claims: {} }, { status: 400 }],
    ['an expired token', { request: get, claims: { exp: 1 } }, { status: 401, reason: 'token_expired' }],
    [
      'a certificate',
      { request: get, certificate: { subject: 'CN=x', san: 'URI:spiffe://td/reader' } },
      { status: 200 },
    ],
    [
      'a certificate where only tokens count',
      { request: { method: 'PUT', path: '/items/7' }, certificate: { san: 'URI:spiffe://td/reader' } },
      { status: 401 },
    ],
  ])('%s', async (_, one, expected) => {
    expect(await decide({ ...one, expect: {} })).toMatchObject(expected);
  });

  test('at the time that the case names', async () => {
    const claims = { scope: 'items:read', iat: 1_700_000_000, exp: 1_700_000_100 };
    const at = (time: string) => decide({ request: get, claims, time, expect: {} });
    expect((await at('2023-11-14T22:13:30Z')).status).toBe(200);
    expect((await at('2023-11-14T23:13:30Z')).reason).toBe('token_expired');
  });

  test('upstream fields come out as they are sent', async () => {
    const { upstream } = await decide({ request: get, claims: { sub: 'alice', scope: 'items:read' }, expect: {} });
    expect(upstream).toMatchObject({ 'x-auth-request-user': 'alice', 'x-auth-request-issuer': 'https://a.example' });
  });
});

describe('a message of MCP', () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'search' };
  const asked = (body?: PolicyCase['request']['body'], fields: Record<string, string> = {}) =>
    decide({
      request: {
        method: 'POST',
        path: '/mcp',
        headers: { ...headers, ...fields },
        ...(body === undefined ? {} : { body }),
      },
      claims: { scope: 'mcp:use' },
      expect: {},
    });
  const called = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } });

  test('is decided by its fields where no body is given', async () => {
    expect(await asked()).toMatchObject({ status: 200, scope: 'mcp:use' });
    expect(await asked(undefined, { 'mcp-name': 'delete_all' })).toMatchObject({ status: 403, scope: 'mcp:delete' });
  });

  test.each<[string, PolicyCase['request']['body'], Record<string, string>, object]>([
    ['that agrees with its fields passes', called('search'), {}, { status: 200 }],
    ['as text passes', JSON.stringify(called('search')), {}, { status: 200 }],
    ['that names another tool is refused', called('delete_all'), {}, { status: 400, reason: 'mcp_mismatch' }],
    ['that is a batch is refused', [called('search')], {}, { status: 400, reason: 'mcp_body_invalid' }],
    ['that is empty is refused', '', {}, { status: 400, reason: 'mcp_body_invalid' }],
    ['that declares more than 1 MiB is refused', called('search'), { 'content-length': '1048577' }, { status: 413 }],
    ['of more than 1 MiB is refused', 'x'.repeat(1_048_577), {}, { status: 413 }],
  ])('%s', async (_, body, fields, expected) => {
    expect(await asked(body, fields)).toMatchObject(expected);
  });

  test('a body of GET is refused as at the gateway', async () => {
    expect(await decide({ request: { ...get, body: 'x' }, claims: { scope: 'items:read' }, expect: {} })).toMatchObject(
      {
        status: 400,
        reason: 'body_unexpected',
      },
    );
  });
});

describe('files of cases', () => {
  test.each([
    ['{}', 'no list'],
    ['[{"request":{"path":"x"},"expect":{"status":200}}]', 'case 1: request.path'],
    ['[{"request":{"path":"/"},"expect":{}}]', 'expect: says nothing'],
    ['[{"request":{"path":"/"},"claims":{},"token":"t","expect":{"status":1}}]', 'case 1'],
    [
      '[{"request":{"path":"/"},"typo":1,"expect":{"status":200}}]',
      'the case: unknown member "typo"; accepted: an object',
    ],
    ['[{"request":{"path":"/"}}]', 'case 1: expect: is missing; accepted: an object with `status`'],
    ['[{"request":{"path":"/"},"expect":{"status":"200"}}]', 'expect.status: is something else; accepted: a whole'],
    ['[{"request":{"path":"/"},"expect":{"stats":200}}]', 'expect: unknown member "stats"; accepted: an object with'],
    ['[{"request":{"path":"/"},"certificate":{"san":[1]},"expect":{}}]', 'accepted: an object with `subject`'],
    ['[{"request":{"path":"/","headers":{"a":1}},"expect":{}}]', 'request.headers.a: is something else; accepted: an'],
    ['[7]', 'case 1: the case: is something else; accepted: an object with `request`'],
  ])('%s is refused', (text, message) => {
    expect(() => readCases(text)).toThrow(message);
  });
});

test('a report names what differs, and escapes what cases say', async () => {
  const [one] = readCases(
    '[{"name":"<&> \\"q\\"","request":{"path":"/items/7"},"expect":{"status":200,"scope":"items:read"}}]',
  );
  if (one === undefined) throw new Error('no case');
  const outcome = judge('f.json', one, await decide(one));
  expect(outcome.passed).toBe(false);
  expect(caseLines([outcome])).toEqual([
    'FAIL  <&> "q"',
    '        status: found 401, wanted 200 (credentials_missing)',
    '0 passed, 1 failed',
  ]);
  expect(junit([outcome])).toContain('<testcase name="&#60;&#38;&#62; &#34;q&#34;"><failure');
});
