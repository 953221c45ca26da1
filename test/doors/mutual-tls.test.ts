import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const openssl = await opensslProgram();
const day = 86_400_000;

describeWith([openssl], 'the Node door with TLS of its own', () => {
  let authority: Authority;
  let stranger: Authority;
  let upstream: Upstream;
  let door: StartedDoor;
  let folder: string;
  let generation = 0;
  let server: IssuedCertificate;
  let caller: IssuedCertificate;
  let leaver: IssuedCertificate;

  /** Replaces all files at once, the way Kubernetes replaces those of a mounted secret. */
  const mount = async (files: Readonly<Record<string, string>>) => {
    generation += 1;
    const next = join(folder, `..${generation}`);
    await mkdir(next);
    for (const [name, text] of Object.entries(files)) await writeFile(join(next, name), text);
    await symlink(`..${generation}`, join(folder, '..next'));
    await rename(join(folder, '..next'), join(folder, '..data'));
    if (generation > 1) await rm(join(folder, `..${generation - 1}`), { recursive: true });
    else for (const name of Object.keys(files)) await symlink(join('..data', name), join(folder, name));
  };
  const files = async () => ({
    'tls.crt': server.pem,
    'tls.key': server.keyPem,
    'client-ca.pem': authority.pem,
    'client.crl': await authority.revocationList(),
  });

  beforeAll(async () => {
    [authority, stranger, upstream] = await Promise.all([
      startAuthority(openssl),
      startAuthority(openssl, 'Test authority'),
      startUpstream(),
    ]);
    server = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    caller = await authority.issue({
      subject: '/O=Acme/CN=caller',
      subjectAltNames: ['URI:spiffe://acme.example/caller'],
    });
    leaver = await authority.issue({ subject: '/O=Acme/CN=leaver' });
    folder = await mkdtemp(join(tmpdir(), 'tgefd-mounted-'));
    await mount(await files());
    door = await startNodeDoor({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'mtls',
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_TLS_CERT_FILE: join(folder, 'tls.crt'),
      TGEFD_TLS_KEY_FILE: join(folder, 'tls.key'),
      TGEFD_TLS_CLIENT_CA_FILE: join(folder, 'client-ca.pem'),
      TGEFD_TLS_CLIENT_CRL_FILE: join(folder, 'client.crl'),
      TGEFD_ENDPOINTS: JSON.stringify([{ method: 'POST', path: '/upload', scope: 'jobs', budget: 'read' }]),
      TGEFD_MTLS_POLICY: JSON.stringify([
        { san: 'URI:spiffe://acme.example/caller', scopes: ['jobs'] },
        { subject: 'CN=leaver,O=Acme', scopes: ['jobs', 'discover'] },
      ]),
    });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([door?.stop(), upstream?.stop(), authority?.stop(), stranger?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (
    certificate: IssuedCertificate | null,
    {
      fields = {},
      agent = new Agent({ maxCachedSessions: 0 }),
      path = '/v1/jobs/1',
      until: end = null,
    }: {
      fields?: Record<string, string>;
      agent?: Agent;
      path?: string;
      /** Makes it a POST whose body ends only then. */
      until?: Promise<unknown> | null;
    } = {},
  ) =>
    new Promise<{ status: number; code: unknown }>((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: door.port,
          servername: 'localhost',
          path,
          method: end ? 'POST' : 'GET',
          headers: fields,
          ca: authority.pem,
          agent,
          ...(certificate ? { cert: certificate.pem, key: certificate.keyPem } : {}),
        },
        async (response) => {
          let body = '';
          for await (const chunk of response) body += chunk;
          const status = response.statusCode ?? 0;
          resolve({ status, code: status < 400 ? null : JSON.parse(body).code });
        },
      );
      sent.on('error', reject);
      if (end) sent.write('begun');
      void Promise.resolve(end).then(() => sent.end());
    });

  const until = async (condition: () => Promise<boolean>, limitMs: number) => {
    const begunMs = performance.now();
    while (!(await condition())) {
      if (performance.now() - begunMs > limitMs) throw new Error(`not within ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  const refused = { status: 401, code: 'credentials_invalid' };

  it('lets a certificate of its authority in', async () => {
    expect(await ask(caller)).toMatchObject({ status: 200 });
  });

  it('asks for one where there is none, and believes no header that names one', async () => {
    const forged = { 'x-ssl-client-subject': 'CN=leaver,O=Acme', 'ssl-client-verify': 'SUCCESS' };
    expect(await ask(null)).toMatchObject({ status: 401, code: 'credentials_missing' });
    expect(await ask(null, { fields: forged })).toMatchObject({ status: 401, code: 'credentials_missing' });
  });

  it('refuses certificates that do not hold: another authority of the same name, expired, not yet valid, for servers', async () => {
    const now = Date.now();
    const bad = await Promise.all([
      stranger.issue({ subject: '/O=Acme/CN=caller', subjectAltNames: ['URI:spiffe://acme.example/caller'] }),
    ]);
    for (const request of [
      { notBefore: new Date(now - 2 * day), notAfter: new Date(now - day) },
      { notBefore: new Date(now + day), notAfter: new Date(now + 2 * day) },
      { usage: 'serverAuth' as const },
    ])
      bad.push(await authority.issue({ subject: '/O=Acme/CN=leaver', ...request }));
    for (const certificate of bad) expect(await ask(certificate)).toMatchObject(refused);
  });

  it('grants nothing to a certificate that no rule of the policy matches', async () => {
    const other = await authority.issue({
      subject: '/O=Acme/CN=caller',
      subjectAltNames: ['URI:spiffe://acme.example/call'],
    });
    expect(await ask(other)).toMatchObject({ status: 403, code: 'insufficient_scope' });
  });

  it('follows every new revocation list, also on connections and sessions from before', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await ask(leaver, { agent })).toMatchObject({ status: 200 });
    await authority.revoke(leaver);
    await mount(await files());
    await until(async () => (await ask(leaver)).status === 401, 10_000);
    expect(await ask(leaver)).toMatchObject(refused);
    expect(await ask(leaver, { agent })).toMatchObject(refused);
    expect(await ask(caller)).toMatchObject({ status: 200 });
    agent.destroy();

    const another = await authority.issue({ subject: '/O=Acme/CN=leaver' });
    expect(await ask(another)).toMatchObject({ status: 200 });
    await authority.revoke(another);
    await mount(await files());
    await until(async () => (await ask(another)).status === 401, 10_000);
  }, 60_000);

  it.each([
    ['before its answer has begun', '/v1/discover'],
    ['while it is being answered', '/upload'],
  ])(
    'lets a request end that was let in before, and no other on its connection: %s',
    async (_, path) => {
      const busy = await authority.issue({ subject: '/O=Acme/CN=leaver' });
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let end: () => void = () => undefined;
      const begun = upstream.counts.begun;
      const long = ask(busy, {
        path,
        agent,
        until: new Promise<void>((resolve) => {
          end = resolve;
        }),
      });
      await until(async () => upstream.counts.begun > begun, 10_000);
      await authority.revoke(busy);
      await mount(await files());
      await until(async () => (await ask(busy)).status === 401, 10_000);
      end();
      expect(await long).toMatchObject({ status: 200 });
      // Cut off where the next request was faster than the end of the connection.
      expect(await ask(busy, { agent }).catch(() => refused)).toMatchObject(refused);
      agent.destroy();
    },
    60_000,
  );

  it('cuts off a request that was begun before and is finished after', async () => {
    const patient = await authority.issue({ subject: '/O=Acme/CN=leaver' });
    const socket = connect({
      host: '127.0.0.1',
      port: door.port,
      servername: 'localhost',
      ca: authority.pem,
      cert: patient.pem,
      key: patient.keyPem,
    });
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write('GET /v1/jobs/1 HTTP/1.1\r\nHost: localhost\r\n');
    await authority.revoke(patient);
    await mount(await files());
    await until(async () => (await ask(patient)).status === 401, 10_000);
    socket.write('\r\n');
    await closed;
    expect(answer).toBe('');
  }, 60_000);

  it('lets nobody in on a revocation list that has run out', async () => {
    const now = Date.now();
    const validity = { lastUpdate: new Date(now - 2 * day), nextUpdate: new Date(now - day) };
    await mount({ ...(await files()), 'client.crl': await authority.revocationList(validity) });
    await until(async () => (await ask(caller)).status === 401, 10_000);
    await mount(await files());
    await until(async () => (await ask(caller)).status === 200, 10_000);
  }, 60_000);

  it('keeps its files when the new ones are broken, and says so', async () => {
    await mount({ ...(await files()), 'client.crl': '' });
    await until(async () => door.lines.some((line) => line.includes('tls_reload_failed')), 10_000);
    expect(await ask(caller)).toMatchObject({ status: 200 });
    expect(await ask(leaver)).toMatchObject(refused);
  }, 60_000);
});
