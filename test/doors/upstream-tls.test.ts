import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';

const openssl = await opensslProgram();

/* TLS to the upstream both ways: whom the gateway believes to be the upstream, and as whom it comes. */
describeWith([openssl], 'mTLS to the upstream', () => {
  let authority: Authority;
  let stranger: Authority;
  let folder: string;
  let ours: IssuedCertificate;
  let upstreams: Record<
    'trusted' | 'of another authority' | 'of another name' | 'expired' | 'only TLS 1.1',
    LoopbackServer
  >;
  const callers: string[] = [];

  /** An upstream that lets in only whom `authority` has certified, and tells who came. */
  const startTlsUpstream = (
    certificate: IssuedCertificate,
    protocol: { maxVersion?: 'TLSv1.1'; minVersion?: 'TLSv1.1' } = {},
  ) =>
    listenOnLoopback(
      createServer(
        { key: certificate.keyPem, cert: certificate.pem, ca: authority.pem, requestCert: true, ...protocol },
        (request: IncomingMessage, response) => {
          const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
          callers.push(subject.CN?.toString() ?? '');
          response.writeHead(200, { 'content-type': 'text/plain' }).end('in');
        },
      ),
    );

  beforeAll(async () => {
    [authority, stranger] = await Promise.all([startAuthority(openssl, 'Inside'), startAuthority(openssl, 'Inside')]);
    const server = (from: Authority, name: string, notAfter?: Date) =>
      from.issue({
        subject: `/CN=${name}`,
        subjectAltNames: [`DNS:${name}`],
        usage: 'serverAuth',
        ...(notAfter ? { notBefore: new Date(Date.now() - 2 * 86_400_000), notAfter } : {}),
      });
    ours = await authority.issue({ subject: '/O=Acme/CN=edge-authorizer' });
    const foreign = await stranger.issue({ subject: '/O=Acme/CN=edge-authorizer' });
    const good = await server(authority, 'localhost');
    upstreams = {
      trusted: await startTlsUpstream(good),
      'of another authority': await startTlsUpstream(await server(stranger, 'localhost')),
      'of another name': await startTlsUpstream(await server(authority, 'elsewhere.test')),
      expired: await startTlsUpstream(await server(authority, 'localhost', new Date(Date.now() - 86_400_000))),
      'only TLS 1.1': await startTlsUpstream(good, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }),
    };
    folder = await mkdtemp(join(tmpdir(), 'tgefd-upstream-tls-'));
    const files = {
      'ca.pem': authority.pem,
      'tls.crt': ours.pem,
      'tls.key': ours.keyPem,
      'foreign.crt': foreign.pem,
      'foreign.key': foreign.keyPem,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  });
  afterAll(async () => {
    await Promise.all(Object.values(upstreams ?? {}).map((upstream) => upstream.down()));
    await Promise.all([authority?.stop(), stranger?.stop(), rm(folder, { recursive: true, force: true })]);
  });

  const through = async (upstream: keyof typeof upstreams, env: Readonly<Record<string, string>>) => {
    const door = await startNodeDoor({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'none',
      TGEFD_UPSTREAM_URL: `https://localhost:${upstreams[upstream].port}`,
      ...env,
    });
    try {
      const answer = await fetch(`${door.url}/v1/metrics`);
      const body = await answer.text();
      await door.stop(); // By then every line it wrote has arrived.
      return { status: answer.status, body, lines: door.lines.join('\n') };
    } finally {
      await door.stop();
    }
  };
  const file = (name: string) => join(folder, name);
  const authorities = () => ({ TGEFD_UPSTREAM_TLS_CA_FILE: file('ca.pem') });
  const certificate = () => ({
    TGEFD_UPSTREAM_TLS_CERT_FILE: file('tls.crt'),
    TGEFD_UPSTREAM_TLS_KEY_FILE: file('tls.key'),
  });

  test('the gateway comes with its certificate, and the upstream lets it in', async () => {
    const answer = await through('trusted', { ...authorities(), ...certificate() });
    expect(answer).toMatchObject({ status: 200, body: 'in' });
    expect(callers.at(-1)).toBe('edge-authorizer');
  });

  test.each(['of another authority', 'of another name', 'expired', 'only TLS 1.1'] as const)(
    'an upstream %s is refused with 502, and nothing is sent to it',
    async (upstream) => {
      const before = callers.length;
      const answer = await through(upstream, { ...authorities(), ...certificate() });
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'upstream_unreachable' });
      expect(answer.lines).toContain('"event":"upstream_unreachable"');
      expect(callers).toHaveLength(before);
    },
  );

  test('without the authority of the upstream it is not believed', async () => {
    expect((await through('trusted', certificate())).status).toBe(502);
  });

  test.each([
    ['without a certificate', {}],
    [
      'with the certificate of another authority',
      { TGEFD_UPSTREAM_TLS_CERT_FILE: 'foreign.crt', TGEFD_UPSTREAM_TLS_KEY_FILE: 'foreign.key' },
    ],
  ])('%s the upstream does not let the gateway in: 502', async (_, names) => {
    const paths = Object.fromEntries(Object.entries(names).map(([name, path]) => [name, file(path)]));
    const before = callers.length;
    expect((await through('trusted', { ...authorities(), ...paths })).status).toBe(502);
    expect(callers).toHaveLength(before);
  });

  test.each([
    ['half a pair', { TGEFD_UPSTREAM_TLS_CERT_FILE: 'tls.crt' }, 'TGEFD_UPSTREAM_TLS_KEY_FILE: found nothing'],
    [
      'a file that is not there',
      { TGEFD_UPSTREAM_TLS_CA_FILE: 'nothing.pem' },
      'TGEFD_UPSTREAM_TLS_CA_FILE: found a file that cannot be read (ENOENT); accepted: certificates in PEM',
    ],
    [
      'a key of another certificate',
      { TGEFD_UPSTREAM_TLS_CERT_FILE: 'tls.crt', TGEFD_UPSTREAM_TLS_KEY_FILE: 'foreign.key' },
      'TGEFD_UPSTREAM_TLS_KEY_FILE: found a key of another certificate; accepted: the key of TGEFD_UPSTREAM_TLS_CERT_FILE',
    ],
    [
      'a key where authorities should be',
      { TGEFD_UPSTREAM_TLS_CA_FILE: 'tls.key' },
      'TGEFD_UPSTREAM_TLS_CA_FILE: found a file that holds something else, or half of it; accepted: certificates in PEM',
    ],
  ])('%s does not start, and says which variable', async (_, names, told) => {
    const paths = Object.fromEntries(Object.entries(names).map(([name, path]) => [name, file(path)]));
    const failure = await through('trusted', paths).then(
      () => 'started',
      (error: Error) => error.message,
    );
    expect(failure).toContain('configuration invalid:');
    expect(failure).toContain(told);
    expect(failure).not.toMatch(/PRIVATE KEY|BEGIN CERT|node:internal/);
  });

  test('a renewed certificate is shown without a restart and without a request lost; a broken one changes nothing', async () => {
    const renewed = await authority.issue({ subject: '/O=Acme/CN=edge-authorizer-renewed' });
    const put = async (name: string, text: string) => {
      await writeFile(file(`${name}.new`), text);
      await rename(file(`${name}.new`), file(name));
    };
    await Promise.all([put('live.crt', ours.pem), put('live.key', ours.keyPem)]);
    const door = await startNodeDoor({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'none',
      TGEFD_UPSTREAM_URL: `https://localhost:${upstreams.trusted.port}`,
      ...authorities(),
      TGEFD_UPSTREAM_TLS_CERT_FILE: file('live.crt'),
      TGEFD_UPSTREAM_TLS_KEY_FILE: file('live.key'),
    });
    const statuses = new Set<number>();
    let going = true;
    const steady = async () => {
      while (going) statuses.add((await fetch(`${door.url}/v1/metrics`)).status);
    };
    const said = (event: string) => door.lines.filter((line) => line.includes(`"event":"${event}"`));
    const load = [steady(), steady()];
    try {
      await put('live.crt', renewed.pem.slice(0, 200));
      await expect.poll(() => said('client_tls_reload_failed').length, { timeout: 10_000 }).toBe(1);
      await put('live.crt', renewed.pem.slice(0, 200)); // Touched again, and still not whole: nothing new to say.
      await expect.poll(() => callers.at(-1), { interval: 2_000, timeout: 10_000 }).toBe('edge-authorizer');
      await put('live.crt', renewed.pem);
      await expect.poll(() => said('client_tls_reload_failed').length, { timeout: 10_000 }).toBe(2);
      expect(said('client_tls_reload_failed').at(-1)).toContain('a key of another certificate');
      expect(callers.at(-1)).toBe('edge-authorizer');
      await put('live.key', renewed.keyPem);
      await expect.poll(() => said('client_tls_reloaded').length, { timeout: 10_000 }).toBe(1);
      const answer = await fetch(`${door.url}/v1/metrics`);
      expect([answer.status, callers.at(-1)]).toEqual([200, 'edge-authorizer-renewed']);
      const since = callers.length;
      await expect.poll(() => callers.length, { timeout: 5_000 }).toBeGreaterThan(since + 100);
      expect(new Set(callers.slice(since + 2))).toEqual(new Set(['edge-authorizer-renewed']));
    } finally {
      going = false;
      await Promise.all(load);
      await door.stop();
    }
    expect([...statuses]).toEqual([200]);
    expect(door.lines.join('\n')).not.toMatch(/BEGIN|PRIVATE/);
  }, 60_000);
});
