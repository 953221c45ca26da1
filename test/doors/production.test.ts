import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const [openssl, redisServer] = await Promise.all([opensslProgram(), redisProgram()]);

/**
 * Production as it is meant to run: TLS from the client to the door and from the door to the issuer and to Redis, strict
 * audit, secrets in files, every weak setting refused.
 */
describeWith([openssl, redisServer], 'the Node door in production', () => {
  let folder: string;
  let authority: Authority;
  let issuer: Issuer;
  let upstream: Upstream;
  let redis: RedisParts;
  let door: StartedDoor;
  const closing: (() => void)[] = [];
  let identity: { cert: string; key: string };

  /** TLS in front of a plain loopback service. */
  const secured = async (target: string): Promise<string> => {
    const server = createServer(identity, (incoming, outgoing) => {
      const onward = httpRequest(
        new URL(incoming.url ?? '/', target),
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      onward.once('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close().closeAllConnections());
    return `https://localhost:${(server.address() as AddressInfo).port}`;
  };

  const environment = async (more: Record<string, string> = {}) => {
    const [issuerUrl, redisUrl] = await Promise.all([secured(issuer.url), secured(redis.url)]);
    return {
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWKS_URL: `${issuerUrl}/jwks`,
      TGEFD_JWT_ISSUER: issuer.url,
      TGEFD_JWT_AUDIENCE: issuer.audience,
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_REDIS_URL: redisUrl,
      TGEFD_REDIS_TOKEN_FILE: join(folder, 'redis-token'),
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      TGEFD_AUDIT_PSEUDONYM_KEY_FILE: join(folder, 'pseudonym-key'),
      TGEFD_ASSERTION_KEY_FILE: join(folder, 'assertion-key'),
      TGEFD_TLS_CERT_FILE: join(folder, 'server.pem'),
      TGEFD_TLS_KEY_FILE: join(folder, 'server.key'),
      TGEFD_RATE_LIMIT_PER_MINUTE: '600',
      ...more,
    };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tgefd-production-'));
    [authority, issuer, upstream, redis] = await Promise.all([
      startAuthority(openssl),
      startIssuer(),
      startUpstream(),
      startRedis(redisServer),
    ]);
    const server = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost', 'IP:127.0.0.1'],
      usage: 'serverAuth',
    });
    identity = { cert: server.pem, key: server.keyPem };
    const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const files = {
      'ca.pem': authority.pem,
      'server.pem': server.pem,
      'server.key': server.keyPem,
      'redis-token': `${redis.token}\n`,
      'pseudonym-key': 'a pseudonym key of more than thirty-two bytes\n',
      'assertion-key': JSON.stringify(await exportJWK(privateKey)),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
    door = await startNodeDoor(await environment());
  });
  afterAll(async () => {
    await door?.stop();
    for (const close of closing) close();
    await Promise.all([authority?.stop(), issuer?.stop(), upstream?.stop(), redis?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (token: string | null, path = '/v1/metrics') =>
    new Promise<{ status: number; fields: Record<string, unknown>; body: string }>((resolve, reject) => {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` };
      const outgoing = httpsRequest(
        { host: '127.0.0.1', port: door.port, path, servername: 'localhost', ca: authority.pem, headers, agent: false },
        (incoming) => {
          let body = '';
          incoming.setEncoding('utf8').on('data', (text: string) => {
            body += text;
          });
          incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, fields: incoming.headers, body }));
        },
      );
      outgoing.once('error', reject);
      outgoing.end();
    });

  test('lets a token of the issuer through, over TLS all the way, with a signed assertion', async () => {
    const answer = await ask(await issuer.token({ subject: 'alice' }));
    expect(answer.status).toBe(200);
    expect(answer.fields['strict-transport-security']).toMatch(/^max-age=\d+/);
    const seen = Object.fromEntries(
      upstream.received.at(-1)?.fields.map(([name, value]) => [name.toLowerCase(), value]) ?? [],
    );
    expect(seen['x-auth-request-user']).toBe('alice');
    expect(seen['x-tgefd-assertion']?.split('.')).toHaveLength(3);
    expect(JSON.parse((await ask(null, '/_authorizer/jwks.json')).body).keys).toHaveLength(1);
  });

  test('enforces scopes and lifetime without being told to', async () => {
    expect((await ask(await issuer.token({ scope: 'jobs' }))).status).toBe(403);
    expect((await ask(await issuer.token({ lifetimeSeconds: 3601 }))).status).toBe(401);
    expect((await ask(await issuer.token({ lifetimeSeconds: 3600 }))).status).toBe(200);
  });

  test('does not answer before the record is durable: 503 while the outbox is away, and the record when it is not', async () => {
    const token = await issuer.token({ subject: 'bob' });
    await ask(token);
    const stream = 'tgefd:v1:audit';
    const before = await redis.client.xlen(stream);
    expect((await ask(token)).status).toBe(200);
    expect(await redis.client.xlen(stream)).toBe(before + 1);
    await redis.setFault({ kind: 'refuse' });
    const lost = await ask(token);
    await redis.setFault(null);
    // The outbox is tried again after its rest.
    const deadlineMs = Date.now() + 10_000;
    while ((await ask(token)).status !== 200 && Date.now() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect([lost.status, ['audit_unavailable', 'revocation_unavailable'].includes(JSON.parse(lost.body).code)]).toEqual(
      [503, true],
    );
  });

  test('sixty failures from one address are enough: further ones are 429, valid credentials pass', async () => {
    const statuses = new Set<number>();
    for (let turn = 0; turn < 65; turn++) statuses.add((await ask('a.b.c')).status);
    expect(statuses).toEqual(new Set([401, 429]));
    expect((await ask(await issuer.token({}))).status).toBe(200);
  });

  test.each<[string, Record<string, string>, string]>([
    ['a shared API key', { TGEFD_AUTH_MODE: 'api_key', TGEFD_API_KEY: 'x'.repeat(40) }, 'TGEFD_AUTH_MODE'],
    ['a plain key set', { TGEFD_JWKS_URL: 'http://127.0.0.1:1/jwks' }, 'TGEFD_JWKS_URL'],
    ['an HS256 secret', { TGEFD_JWT_SECRET: 'x'.repeat(40) }, 'TGEFD_JWT_SECRET'],
    ['no record', { TGEFD_AUDIT_MODE: 'off' }, 'TGEFD_AUDIT_MODE'],
    ['a secret that cannot be read', { TGEFD_REDIS_TOKEN_FILE: '/nowhere/token' }, 'TGEFD_REDIS_TOKEN_FILE'],
  ])('never starts with %s', async (_, change, variable) => {
    const started = startNodeDoor(await environment(change));
    await expect(started).rejects.toThrow(variable);
  });
});
