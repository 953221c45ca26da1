import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { CF_FIELD, PROTOCOL_FIELD, startWorkerDoor } from '../support/worker-door.ts';

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream?.stop());

/** Production, whose Redis is away: what is decided before admission needs none. */
function production(more: Record<string, string> = {}) {
  return {
    TGEFD_AUTH_MODE: 'mtls',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
    TGEFD_REDIS_URL: 'https://127.0.0.1:1',
    TGEFD_REDIS_TOKEN: 'token',
    TGEFD_AUDIT_MODE: 'relaxed',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'a pseudonym key of more than 32 bytes',
    ...more,
  };
}
const hsts = 'max-age=31536000';

async function ask(door: StartedDoor, fields: Record<string, string> = {}, target = '/v1/metrics') {
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
}

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

describe('a Worker, told by Cloudflare how the caller came', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startWorkerDoor(production({ TGEFD_UPSTREAM_ALLOW_HTTP: 'true' }));
  });
  afterAll(() => door?.stop());
  const come = (protocol: string, cf: object | null) =>
    ask(door, {
      [PROTOCOL_FIELD]: protocol,
      ...(cf ? { [CF_FIELD]: JSON.stringify(cf), 'CF-Connecting-IP': '203.0.113.9' } : {}),
      Authorization: 'Bearer abc',
    });
  const refused = { status: 403, code: 'insecure_transport', hsts: null, location: null, challenge: false };

  test.each([
    ['over plain HTTP', 'http', null],
    ['over plain HTTP, at the edge', 'http', { tlsVersion: '' }],
    ['over TLS 1.0', 'https', { tlsVersion: 'TLSv1' }],
    ['over TLS 1.1', 'https', { tlsVersion: 'TLSv1.1' }],
    ['over SSL 3', 'https', { tlsVersion: 'SSLv3' }],
  ])(
    'refuses whoever comes %s, before the credentials are looked at, and sends nobody elsewhere',
    async (_, protocol, cf) => {
      expect(await come(protocol, cf)).toMatchObject(refused);
    },
  );

  test.each([
    ['TLS 1.2', { tlsVersion: 'TLSv1.2' }],
    ['TLS 1.3', { tlsVersion: 'TLSv1.3' }],
    ['TLS of which nothing is told', null],
  ])('looks at credentials over %s, and keeps the caller on TLS', async (_, cf) => {
    expect(await come('https', cf)).toMatchObject({ status: 401, hsts });
  });
});

const openssl = await opensslProgram();

describeWith([openssl], 'the Node door’s own TLS', () => {
  let authority: Authority;
  let folder: string;
  let door: StartedDoor;
  beforeAll(async () => {
    authority = await startAuthority(openssl);
    const server = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    folder = await mkdtemp(join(tmpdir(), 'tgefd-transport-'));
    const files = { 'tls.crt': server.pem, 'tls.key': server.keyPem, 'ca.pem': authority.pem };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    door = await startNodeDoor(
      production({
        TGEFD_TLS_CERT_FILE: join(folder, 'tls.crt'),
        TGEFD_TLS_KEY_FILE: join(folder, 'tls.key'),
        TGEFD_TLS_CLIENT_CA_FILE: join(folder, 'ca.pem'),
      }),
    );
  }, 60_000);
  afterAll(async () => {
    await Promise.all([door?.stop(), authority?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** An answer's head over one version of TLS, from a client that would take any: what refuses is the door. */
  const over = (version: SecureVersion, port = door.port) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        servername: 'localhost',
        ca: authority.pem,
        minVersion: version,
        maxVersion: version,
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      let answer = '';
      socket.on('data', (bytes) => {
        answer += bytes;
      });
      socket.on('error', reject);
      socket.on('end', () => resolve(`${socket.getProtocol()}\n${answer}`));
      socket.on('secureConnect', () =>
        socket.write('GET /v1/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
      );
    });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('answers over %s, and keeps the caller on TLS', async (version) => {
    const answer = await over(version);
    expect(answer).toMatch(new RegExp(`^${version}\nHTTP/1.1 401 `));
    expect(answer.toLowerCase()).toContain(`strict-transport-security: ${hsts}`);
  });

  test.each(['TLSv1', 'TLSv1.1'] as const)('shakes no hand over %s', async (version) => {
    await expect(over(version)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  test('the same client gets through where a server allows it, so that it is the door that refuses', async () => {
    const [cert, key] = await Promise.all(['tls.crt', 'tls.key'].map((name) => readFile(join(folder, name))));
    const lax = await listenOnLoopback(
      createServer({ cert, key, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as object, (_, outgoing) =>
        outgoing.end('in'),
      ),
    );
    expect(await over('TLSv1.1', lax.port)).toMatch(/^TLSv1\.1\nHTTP\/1\.1 200 /);
    await lax.down();
  });

  test('nobody is answered without TLS on that port', async () => {
    await expect(fetch(`http://127.0.0.1:${door.port}/healthz`)).rejects.toThrow();
  });
});
