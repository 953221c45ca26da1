import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { type Authority, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const openssl = await opensslProgram();

/* Calls inside, over TLS both ways with a private authority: Vault, the issuer, Redis, the collector, the object store. */
describeWith([openssl], 'mTLS to what is inside', () => {
  let authority: Authority;
  let stranger: Authority;
  let issuer: Issuer;
  let upstream: Upstream;
  /** All of them at once; lets nobody in without a certificate of the authority. */
  let inside: LoopbackServer;
  let folder: string;
  const calls: { path: string; caller: string }[] = [];
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    [authority, stranger, issuer, upstream, folder] = await Promise.all([
      startAuthority(openssl, 'Inside'),
      startAuthority(openssl, 'Inside'),
      startIssuer(),
      startUpstream(),
      mkdtemp(join(tmpdir(), 'tgefd-internal-tls-')),
    ]);
    const [ours, server, foreign] = await Promise.all([
      authority.issue({ subject: '/O=Acme/CN=edge-authorizer' }),
      authority.issue({ subject: '/CN=localhost', subjectAltNames: ['DNS:localhost'], usage: 'serverAuth' }),
      stranger.issue({ subject: '/O=Acme/CN=edge-authorizer' }),
    ]);
    const files = {
      'ca.pem': authority.pem,
      'tls.crt': ours.pem,
      'tls.key': ours.keyPem,
      'foreign.crt': foreign.pem,
      'foreign.key': foreign.keyPem,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
    const keySet = await (await fetch(issuer.keySetUrl)).text();
    const options = { key: server.keyPem, cert: server.pem, ca: authority.pem, requestCert: true };
    inside = await listenOnLoopback(
      createServer(options, (incoming: IncomingMessage, outgoing) => {
        const caller = String((incoming.socket as TLSSocket).getPeerCertificate().subject.CN);
        const path = `${incoming.method} ${incoming.url?.split('?')[0]}`;
        calls.push({ path: path.startsWith('PUT ') ? 'PUT' : path, caller });
        incoming.resume();
        outgoing.setHeader('content-type', 'application/json');
        if (path === 'GET /jwks.json') outgoing.end(keySet);
        else if (path === 'GET /v1/kv/data/tgefd')
          outgoing.end(JSON.stringify({ data: { data: { token: 'for Redis' } } }));
        else if (path === 'POST /')
          outgoing.writeHead(500).end('{}'); // Redis has failed: records go to the bucket.
        else outgoing.end('{}');
      }),
    );
  });
  afterAll(async () => {
    await Promise.all([inside?.down(), issuer?.stop(), upstream?.stop(), authority?.stop(), stranger?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const environment = (more: Record<string, string>) => {
    const here = `https://localhost:${inside.port}`;
    return {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWKS_URL: `${here}/jwks.json`,
      TGEFD_JWKS_MAX_ATTEMPTS: '1',
      TGEFD_JWT_ISSUER: issuer.url,
      TGEFD_JWT_AUDIENCE: issuer.audience,
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_REDIS_URL: here,
      TGEFD_REDIS_TOKEN: 'vault:kv/tgefd#token',
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      TGEFD_REVOCATION_ON_ERROR: 'open',
      TGEFD_VAULT_URL: here,
      TGEFD_VAULT_AUTH: 'token',
      TGEFD_VAULT_TOKEN: 'hvs.session',
      TGEFD_AUDIT_BUCKET: 'records',
      TGEFD_AUDIT_S3_ENDPOINT: here,
      TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'id',
      TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'secret',
      TGEFD_OTEL_ENABLED: 'true',
      TGEFD_OTEL_ENDPOINT: `${here}/v1/traces`,
      ...more,
    };
  };
  const files = (certificate = 'tls') => ({
    TGEFD_INTERNAL_TLS_HOSTS: `LOCALHOST:${inside.port}`,
    TGEFD_INTERNAL_TLS_CA_FILE: file('ca.pem'),
    TGEFD_INTERNAL_TLS_CERT_FILE: file(`${certificate}.crt`),
    TGEFD_INTERNAL_TLS_KEY_FILE: file(`${certificate}.key`),
  });

  test('each of them is called with our certificate and believed by the private authority', async () => {
    const door = await startNodeDoor(environment(files()));
    try {
      const headers = { authorization: `Bearer ${await issuer.token({ subject: 'alice' })}` };
      expect((await fetch(`${door.url}/v1/metrics`, { headers })).status).toBe(200);
      for (const path of ['GET /v1/kv/data/tgefd', 'GET /jwks.json', 'POST /', 'POST /v1/traces', 'PUT']) {
        await expect.poll(() => calls.map((call) => call.path), { timeout: 5000 }).toContain(path);
      }
      expect(new Set(calls.map(({ caller }) => caller))).toEqual(new Set(['edge-authorizer']));
    } finally {
      await door.stop();
    }
  });

  test.each([
    ['without files', () => ({})],
    ['with the certificate of another authority', () => files('foreign')],
  ])('%s nobody is let in: Vault gives no secret, and the process does not start', async (_, more) => {
    const before = calls.length;
    await expect(startNodeDoor(environment(more()))).rejects.toThrow('TGEFD_REDIS_TOKEN: found ');
    expect(calls).toHaveLength(before);
  });

  test('check-config reads the secret from Vault by them, and says which file is none', async () => {
    const check = async (more: Record<string, string>) => {
      const lines: string[] = [];
      const say = (line: string) => void lines.push(line);
      const status = await main(['check-config'], { env: environment(more), out: say, err: say });
      return { status, text: lines.join('\n') };
    };
    expect(await check(files())).toMatchObject({ status: 0 });
    const broken = await check({ ...files(), TGEFD_INTERNAL_TLS_KEY_FILE: file('foreign.key') });
    expect(broken.status).toBe(1);
    expect(broken.text).toContain('TGEFD_INTERNAL_TLS_KEY_FILE: found a key of another certificate');
    expect(broken.text).not.toContain('BEGIN');
  });

  test.each([
    ['Redis', ['revocations', 'list'], 'POST /'],
    ['the object store', ['audit', 'bucket', '--check'], 'GET /records/'],
  ])('a command calls %s by them too', async (_, command, path) => {
    const before = calls.length;
    const say = () => undefined;
    const unanswered = () => 1; // The store answers nothing that S3 would.
    await main(command, { env: environment(files()), out: say, err: say }).catch(unanswered);
    expect(calls.slice(before)).toContainEqual({ path, caller: 'edge-authorizer' });
  });

  test('one private authority for every host alike is Node’s own NODE_EXTRA_CA_CERTS', async () => {
    const server = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    const keySet = await (await fetch(issuer.keySetUrl)).text();
    const asks = { requestCert: true, rejectUnauthorized: false, ca: authority.pem };
    const shown: unknown[] = [];
    const plain = await listenOnLoopback(
      createServer({ key: server.keyPem, cert: server.pem, ...asks }, (incoming, outgoing) => {
        shown.push((incoming.socket as TLSSocket).getPeerX509Certificate()?.subject);
        outgoing.end(keySet);
      }),
    );
    const headers = { authorization: `Bearer ${await issuer.token({ subject: 'alice' })}` };
    const statusWith = async (more: Record<string, string>) => {
      const door = await startNodeDoor({
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'jwt',
        TGEFD_JWKS_URL: `https://localhost:${plain.port}/jwks.json`,
        TGEFD_JWKS_MAX_ATTEMPTS: '1',
        TGEFD_JWT_ISSUER: issuer.url,
        TGEFD_JWT_AUDIENCE: issuer.audience,
        TGEFD_UPSTREAM_URL: upstream.url,
        ...more,
      });
      const { status } = await fetch(`${door.url}/v1/metrics`, { headers });
      await door.stop();
      return status;
    };
    try {
      expect(await statusWith({ NODE_EXTRA_CA_CERTS: file('ca.pem') })).toBe(200);
      expect(await statusWith({})).toBe(503);
      const others = { ...files(), TGEFD_INTERNAL_TLS_HOSTS: new URL(upstream.url).host };
      expect(await statusWith({ ...others, NODE_EXTRA_CA_CERTS: file('ca.pem') })).toBe(200);
      expect(new Set(shown), 'a host that is not listed is shown no certificate').toEqual(new Set([undefined]));
    } finally {
      await plain.down();
    }
  });
});
