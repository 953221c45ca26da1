import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';
import type { AccessRequest } from '../../../lib/decision/request.ts';
import { createCors } from '../../../lib/respond/cors.ts';

function request(method: string, fields: Record<string, string>): AccessRequest {
  return {
    door: 'gateway',
    method,
    target: '/v1/discover',
    headers: new Headers(fields),
    hop: { peerAddress: null, secure: null, certificate: null },
  };
}
function preflight(origin: string) {
  return request('OPTIONS', { origin, 'access-control-request-method': 'POST' });
}
function cors(origins: readonly string[]) {
  return createCors({ origins, methods: ['GET', 'POST', 'GET'], requestHeaders: [] });
}

describe('cross-origin answers', () => {
  test('a preflight of a listed origin is answered with what it may send', () => {
    const answer = Object.fromEntries(cors(['https://app.example']).preflight(preflight('https://app.example')) ?? []);
    expect(answer).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'GET, POST',
      vary: 'Origin',
    });
    expect(answer).not.toHaveProperty('access-control-allow-credentials');
  });

  test.each([
    ['an origin that is not listed', ['https://app.example'], 'https://evil.example'],
    ['a listed origin as a part of another', ['https://app.example'], 'https://app.example.evil.example'],
    ['the origin null', ['https://app.example'], 'null'],
    ['any origin, by default', [], 'https://app.example'],
  ])('a preflight of %s is answered with a no', (_, origins, origin) => {
    const answer = cors(origins).preflight(preflight(origin));
    expect(answer).not.toBeNull();
    expect(answer?.map(([name]) => name)).not.toContain('access-control-allow-origin');
  });

  test('OPTIONS that is no preflight is a request like any other', () => {
    expect(cors(['*']).preflight(request('OPTIONS', { origin: 'https://a.example' }))).toBeNull();
    expect(cors(['*']).preflight(request('OPTIONS', { 'access-control-request-method': 'POST' }))).toBeNull();
    expect(cors(['*']).preflight(request('GET', { origin: 'https://a.example' }))).toBeNull();
  });

  test('other answers say who may read them, and that they depend on the origin', () => {
    expect(
      Object.fromEntries(cors(['https://a.example']).fields(request('GET', { origin: 'https://a.example' }))),
    ).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      vary: 'Origin',
    });
    expect(cors(['https://a.example']).fields(request('GET', {}))).toEqual([['vary', 'Origin']]);
    expect(cors([]).fields(request('GET', { origin: 'https://a.example' }))).toEqual([]);
  });
});

test('request fields for browsers without an origin that may send them are a problem', () => {
  const loaded = loadConfig(
    {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'none',
      TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9000',
      TGEFD_CORS_ALLOWED_HEADERS: 'x-tenant',
    },
    { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false },
  );
  expect(loaded.ok ? [] : loaded.problems.map(problemLine)).toEqual([
    'TGEFD_CORS_ALLOWED_HEADERS: found a value; accepted: a value only beside TGEFD_CORS_ALLOWED_ORIGINS',
  ]);
});
