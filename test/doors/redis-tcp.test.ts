import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { type Authority, opensslProgram, startAuthority } from '../support/certificates.ts';
import { freePort } from '../support/child.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { redisProgram } from '../support/redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-tcp.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const [program, openssl] = await Promise.all([redisProgram(), opensslProgram()]);
const PASSWORD = 'a-password-for-redis-over-tcp';

/* A real redis-server with TLS of a private authority, a user and a password, behind the built Node door. */
describeWith([program, openssl], 'Redis over TCP behind the Node door', () => {
  let authority: Authority;
  let issuer: Issuer;
  let upstream: Upstream;
  let server: RedisServer;
  let admin: Redis;
  let folder: string;
  let environment: Record<string, string>;
  /** What makes a process take the private authority's word for it. */
  let believed: Record<string, string>;
  let node: StartedDoor;
  beforeAll(async () => {
    [authority, issuer, upstream, folder] = await Promise.all([
      startAuthority(openssl, 'Inside'),
      startIssuer(),
      startUpstream(),
      mkdtemp(join(tmpdir(), 'tgefd-redis-tcp-')),
    ]);
    const certificate = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    const file = (name: string) => join(folder, name);
    const files = { 'ca.pem': authority.pem, 'tls.crt': certificate.pem, 'tls.key': certificate.keyPem };
    for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
    const [plainPort, tlsPort] = [await freePort(), await freePort()];
    server = await startRedisServer(
      program,
      {
        'tls-port': `${tlsPort}`,
        'tls-cert-file': file('tls.crt'),
        'tls-key-file': file('tls.key'),
        'tls-ca-cert-file': file('ca.pem'),
        'tls-auth-clients': 'no',
        user: `edge on >${PASSWORD} ~tgefd:* +@all`,
      },
      plainPort,
    );
    admin = new Redis({ host: '127.0.0.1', port: plainPort });
    environment = {
      ...jwtEnvironment(issuer),
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_REDIS_URL: `rediss://localhost:${tlsPort}`,
      TGEFD_REDIS_USERNAME: 'edge',
      TGEFD_REDIS_TOKEN: PASSWORD,
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      TGEFD_AUDIT_PSEUDONYM_KEY: 'one pseudonym key that all doors share',
      TGEFD_AUDIT_MODE: 'strict',
      TGEFD_AUDIT_LOG: 'false',
      TGEFD_RATE_LIMIT_PER_MINUTE: '3',
    };
    believed = { TGEFD_INTERNAL_TLS_HOSTS: `localhost:${tlsPort}`, TGEFD_INTERNAL_TLS_CA_FILE: file('ca.pem') };
    node = await startNodeDoor({ ...environment, ...believed });
  });
  afterAll(async () => {
    admin?.disconnect();
    await Promise.all([node?.stop(), server?.stop(), issuer?.stop(), upstream?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (door: StartedDoor, token: string, path = '/v1/metrics', init: RequestInit = {}) =>
    fetch(`${door.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

  test('limits, revocation and records are as over REST', async () => {
    const token = await issuer.token({ subject: 'over-tcp' });
    const statuses: number[] = [];
    for (let turn = 0; turn < 4; turn++) statuses.push((await ask(node, token)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const entries = await admin.xrange('tgefd:v1:audit', '-', '+');
    expect(entries.map(([, fields]) => JSON.parse(fields?.[1] ?? '{}').status)).toEqual([200, 200, 200, 429]);

    const operator = await issuer.token({ subject: 'operator', scope: 'revoke' });
    const victim = await issuer.token({ subject: 'victim' });
    expect((await ask(node, victim)).status).toBe(200);
    const body = JSON.stringify({ kind: 'sub', id: 'victim', before: Math.floor(Date.now() / 1000) + 60 });
    expect((await ask(node, operator, '/_authorizer/revocations', { method: 'POST', body })).status).toBe(201);
    await expect.poll(async () => (await ask(node, victim)).status, { timeout: 10_000 }).toBe(401);
  });

  test('connections that break are made again', async () => {
    const token = await issuer.token({ subject: 'patient' });
    expect((await ask(node, token)).status).toBe(200);
    await admin.call('CLIENT', 'KILL', 'USER', 'edge');
    expect((await ask(node, token)).status).toBe(200);
  });

  test('a server whose certificate is of another authority is not believed', async () => {
    const strange = await startNodeDoor(environment);
    try {
      expect((await ask(strange, await issuer.token({ subject: 'x' }))).status).toBe(503);
    } finally {
      await strange.stop();
    }
  });

  test('the command line speaks it too, and ends', async () => {
    const lines: string[] = [];
    const console = {
      env: { ...environment, ...believed },
      out: (line: string) => void lines.push(line),
      err: (line: string) => void lines.push(line),
    };
    expect(await main(['revocations', 'list'], console as never)).toBe(0);
  });

  test.each([
    ['user information', (url: string) => url.replace('rediss://', `rediss://edge:${PASSWORD}@`), 'TGEFD_REDIS_TOKEN'],
    ['plain TCP to a host outside', () => 'redis://redis.example.com:6379', '`rediss:`'],
  ])('refuses %s, and says what to do', async (_, change, wanted) => {
    const url = change(environment.TGEFD_REDIS_URL ?? '');
    const failed = await startNodeDoor({ ...environment, TGEFD_REDIS_URL: url }).catch((error: unknown) => error);
    expect(String(failed)).toContain('TGEFD_REDIS_URL');
    expect(String(failed)).toContain(wanted);
    expect(String(failed)).not.toContain(PASSWORD);
  });

  test('a Worker says that it needs the REST URL', async () => {
    const door = await startWorkerDoor(environment);
    try {
      const answer = await fetch(`${door.url}/readyz`);
      expect(answer.status).toBe(503);
      await expect.poll(() => door.lines.join('\n')).toContain('REST URL');
    } finally {
      await door.stop();
    }
  });
});
