import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const openssl = await opensslProgram();
function thumbprint({ der }: IssuedCertificate) {
  return createHash('sha256').update(der).digest('base64url');
}

/* RFC 8705 §3: a token that names a certificate is worth nothing without it, whatever the door knows the certificate by. */
describeWith([openssl], 'a token bound to a certificate', () => {
  let authority: Authority;
  let issuer: Issuer;
  let upstream: Upstream;
  let folder: string;
  let tlsDoor: StartedDoor;
  let trustingDoor: StartedDoor;
  let strictDoor: StartedDoor;
  let right: IssuedCertificate;
  let other: IssuedCertificate;
  let bound: string;
  let free: string;

  beforeAll(async () => {
    [authority, issuer, upstream] = await Promise.all([startAuthority(openssl), startIssuer(), startUpstream()]);
    const server = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    right = await authority.issue({ subject: '/O=Acme/CN=caller' });
    // The same name: only the certificate itself tells them apart.
    other = await authority.issue({ subject: '/O=Acme/CN=caller' });
    bound = await issuer.token({ subject: 'alice', claims: { cnf: { 'x5t#S256': thumbprint(right) } } });
    free = await issuer.token({ subject: 'alice' });
    folder = await mkdtemp(join(tmpdir(), 'tgefd-bound-'));
    for (const [name, text] of Object.entries({
      'tls.crt': server.pem,
      'tls.key': server.keyPem,
      'ca.pem': authority.pem,
    }))
      await writeFile(join(folder, name), text);
    const environment = {
      ...jwtEnvironment(issuer),
      TGEFD_UPSTREAM_URL: upstream.url,
    };
    [tlsDoor, trustingDoor, strictDoor] = await Promise.all([
      startNodeDoor({
        ...environment,
        TGEFD_TLS_CERT_FILE: join(folder, 'tls.crt'),
        TGEFD_TLS_KEY_FILE: join(folder, 'tls.key'),
        TGEFD_TLS_CLIENT_CA_FILE: join(folder, 'ca.pem'),
      }),
      startNodeDoor({ ...environment, TGEFD_TRUSTED_PROXIES: '127.0.0.1/32', TGEFD_MTLS_SOURCES: 'client_cert' }),
      startNodeDoor({ ...environment, TGEFD_MTLS_SOURCES: 'client_cert' }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([tlsDoor, trustingDoor, strictDoor, issuer, upstream, authority].map((part) => part?.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const overTls = (token: string, certificate: IssuedCertificate | null, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; challenge: string | undefined }>((resolve, reject) => {
      request(
        {
          host: '127.0.0.1',
          port: tlsDoor.port,
          servername: 'localhost',
          path: '/v1/metrics',
          headers: { authorization: `Bearer ${token}`, ...headers },
          ca: authority.pem,
          agent: new Agent({ maxCachedSessions: 0 }),
          ...(certificate ? { cert: certificate.pem, key: certificate.keyPem } : {}),
        },
        (response) => {
          response.resume();
          resolve({ status: response.statusCode ?? 0, challenge: response.headers['www-authenticate'] });
        },
      )
        .on('error', reject)
        .end();
    });
  const named = async (door: StartedDoor, token: string, certificate: IssuedCertificate | null) => {
    const clientCert = certificate && `:${Buffer.from(certificate.der).toString('base64')}:`;
    const answer = await fetch(`${door.url}/v1/metrics`, {
      headers: { authorization: `Bearer ${token}`, ...(clientCert ? { 'client-cert': clientCert } : {}) },
    });
    return answer.status;
  };
  const refused = { status: 401, challenge: 'Bearer realm="tgefd", error="invalid_token"' };

  test('passes with its certificate on the connection, again and again', async () => {
    expect(await overTls(bound, right)).toMatchObject({ status: 200 });
    expect(await overTls(bound, right)).toMatchObject({ status: 200 });
  });

  test('is refused with another certificate and without one, also once the token is known as good', async () => {
    expect(await overTls(bound, right)).toMatchObject({ status: 200 });
    expect(await overTls(bound, other)).toEqual(refused);
    expect(await overTls(bound, null)).toEqual(refused);
  });

  test('is refused where only a header of the caller names the certificate', async () => {
    const header = `:${Buffer.from(right.der).toString('base64')}:`;
    expect(await overTls(bound, null, { 'client-cert': header })).toEqual(refused);
    expect(await overTls(bound, other, { 'client-cert': header })).toEqual(refused);
    expect(await named(strictDoor, bound, right)).toBe(401);
  });

  test('passes behind a trusted ingress that names its certificate, and with no other', async () => {
    expect(await named(trustingDoor, bound, right)).toBe(200);
    expect(await named(trustingDoor, bound, other)).toBe(401);
    expect(await named(trustingDoor, bound, null)).toBe(401);
  });

  test.each([
    ['a thumbprint that is none', { 'x5t#S256': 'short' }],
    ['a confirmation of a wrong type', 'everything'],
  ])('is refused with %s', async (_, cnf) => {
    const token = await issuer.token({ claims: { cnf } });
    expect(await overTls(token, right)).toEqual(refused);
  });

  test('is refused as Bearer where it is bound to a key, and the challenge names DPoP (RFC 9449 §7.1)', async () => {
    const token = await issuer.token({ claims: { cnf: { jkt: 'A'.repeat(43) } } });
    expect(await overTls(token, right)).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/DPoP realm="tgefd", error="invalid_token", algs=/),
    });
  });

  test('a token that is bound to nothing passes with any certificate and with none', async () => {
    for (const certificate of [right, other, null])
      expect(await overTls(free, certificate)).toMatchObject({ status: 200 });
  });

  test('the records name the reason, and nobody’s certificate', async () => {
    const refused = () =>
      tlsDoor.lines.some((line) => line.includes('"type":"audit"') && line.includes('token_certificate_mismatch'));
    await expect.poll(refused, { timeout: 5000 }).toBe(true);
    expect(tlsDoor.lines.join()).not.toContain('Acme');
  });
});
