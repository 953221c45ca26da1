import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream?.stop());

/** Production, whose Redis is away: what is decided before admission needs none. */
const production = (more: Record<string, string> = {}) => ({
  TGEFD_AUTH_MODE: 'mtls',
  TGEFD_UPSTREAM_URL: upstream.url,
  TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
  TGEFD_REDIS_URL: 'https://127.0.0.1:1',
  TGEFD_REDIS_TOKEN: 'token',
  TGEFD_AUDIT_MODE: 'relaxed',
  TGEFD_AUDIT_PSEUDONYM_KEY: 'a pseudonym key of more than 32 bytes',
  ...more,
});
const hsts = 'max-age=31536000';

const ask = async (door: StartedDoor, fields: Record<string, string> = {}, target = '/v1/metrics') => {
  const answer = await requestRaw(door.port, `GET ${target} HTTP/1.1`, [
    'Host: api.example',
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
  ]);
  return {
    status: answer.status,
    code: JSON.parse(answer.body).code,
    hsts: answer.field('strict-transport-security'),
    location: answer.field('location'),
    challenge: answer.field('www-authenticate') !== null,
    told: answer.field('x-tgefd-status'),
  };
};

describe('behind a trusted proxy, in production on Node', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startNodeDoor(production());
  });
  afterAll(() => door?.stop());

  test('a caller over plain HTTP is refused before its credentials are looked at, and sent nowhere', async () => {
    const begun = upstream.counts.begun;
    const credentials = { 'X-SSL-Client-Subject': 'CN=alice', Authorization: 'Bearer abc' };
    expect(await ask(door, { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'http', ...credentials })).toEqual({
      status: 403,
      code: 'insecure_transport',
      hsts: null,
      location: null,
      challenge: false,
      told: null,
    });
    expect(upstream.counts.begun).toBe(begun);
  });

  test('a caller over TLS gets the next answer, and is kept on TLS', async () => {
    const answer = await ask(door, { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' });
    expect(answer).toMatchObject({ status: 401, code: 'credentials_missing', hsts });
  });

  test('two schemes are a 400, never the better of them', async () => {
    const fields = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https, http' };
    expect(await ask(door, fields)).toMatchObject({ status: 400, code: 'request_invalid' });
  });
});

test('a stranger’s word about its own transport is nothing', async () => {
  const door = await startNodeDoor(production({ TGEFD_TRUSTED_PROXIES: '10.0.0.0/8' }));
  try {
    const fields = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' };
    expect(await ask(door, fields)).toMatchObject({ status: 401, hsts: null });
  } finally {
    await door.stop();
  }
});

test.each([
  ['nginx', { 'X-Original-Method': 'GET', 'X-Original-URI': '/v1/metrics' }, '403'],
  ['traefik', { 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': '/v1/metrics' }, null],
])('through %s’s check as well', async (proxy, source, told) => {
  const door = await startNodeDoor(production({ TGEFD_FORWARD_AUTH: proxy }));
  try {
    const forwarded = { 'X-Forwarded-For': '203.0.113.9', ...source };
    const plain = await ask(door, { ...forwarded, 'X-Forwarded-Proto': 'http' }, '/_authorizer/check');
    expect(plain).toMatchObject({ status: 403, code: 'insecure_transport', hsts: null, told });
    const secure = await ask(door, { ...forwarded, 'X-Forwarded-Proto': 'https' }, '/_authorizer/check');
    expect(secure).toMatchObject({ status: 401, hsts });
  } finally {
    await door.stop();
  }
});

test('a Worker reached over plain HTTP refuses too', async () => {
  const door = await startWorkerDoor(production({ TGEFD_UPSTREAM_ALLOW_HTTP: 'true' }));
  try {
    expect(await ask(door)).toMatchObject({ status: 403, code: 'insecure_transport', hsts: null, location: null });
  } finally {
    await door.stop();
  }
});
