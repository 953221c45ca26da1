import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ingressFields } from '../../lib/request/field-names.ts';
import { INGRESS_PROOF_FIELD, signIngressProof } from '../../lib/request/ingress-proof.ts';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { CF_FIELD, startWorkerDoor } from '../support/worker-door.ts';

const openssl = await opensslProgram();
const ingressSecret = 'an ingress secret of more than 32 bytes';
const policy = JSON.stringify([
  { subject: 'CN=reporter', scopes: ['metrics'] },
  { san: 'URI:spiffe://example/analyst', roles: ['analyst'] },
]);

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream?.stop());

function mtls(more: Record<string, string>) {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'mtls',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_MTLS_POLICY: policy,
    TGEFD_IDENTITY_HEADER: 'x-client-id',
    ...more,
  };
}

async function ask(door: StartedDoor, fields: Record<string, string>, target = '/v1/metrics') {
  const answer = await requestRaw(door.port, `GET ${target} HTTP/1.1`, [
    'Host: api.example',
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
  ]);
  const code: unknown = answer.status === 200 ? null : JSON.parse(answer.body).code;
  return { status: answer.status, code, requestId: answer.field('x-request-id') };
}
function seenBy(name: string) {
  return upstream.received.at(-1)?.fields.find(([each]) => each.toLowerCase() === name)?.[1] ?? null;
}

describe.each(Object.entries({ Node: startNodeDoor, workerd: startWorkerDoor }))('mode none, on %s', (_, start) => {
  test('sends no user upstream', async () => {
    const door = await start({ TGEFD_ENV: 'development', TGEFD_UPSTREAM_URL: upstream.url });
    try {
      expect((await ask(door, {})).status).toBe(200);
      expect([seenBy('x-auth-request-user'), seenBy('x-auth-request-method')]).toEqual(['', 'none']);
    } finally {
      await door.stop();
    }
  });
});

describe('behind a trusted proxy, on Node', () => {
  let trusting: StartedDoor;
  let wary: StartedDoor;
  beforeAll(async () => {
    [trusting, wary] = await Promise.all([
      startNodeDoor(mtls({ TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' })),
      startNodeDoor(mtls({ TGEFD_TRUSTED_PROXIES: '10.0.0.0/8' })),
    ]);
  });
  afterAll(() => Promise.all([trusting?.stop(), wary?.stop()]));

  const subject = { 'X-SSL-Client-Subject': 'CN=reporter' };

  test('its certificate header names the caller, who is the identity upstream', async () => {
    expect(await ask(trusting, subject)).toMatchObject({ status: 200 });
    expect([seenBy('x-auth-request-user'), seenBy('x-client-id'), seenBy('x-auth-request-method')]).toEqual([
      'reporter',
      'reporter',
      'mtls',
    ]);
    expect(seenBy('x-ssl-client-subject')).toBeNull();
  });

  test('the same header from a stranger is nothing', async () => {
    expect(await ask(wary, subject)).toMatchObject({ status: 401, code: 'credentials_missing' });
  });

  test('scopes come from the policy', async () => {
    expect(await ask(trusting, subject, '/v1/jobs/1')).toMatchObject({ status: 403, code: 'insufficient_scope' });
  });

  test('a certificate that no rule names may do nothing', async () => {
    expect(await ask(trusting, { 'X-SSL-Client-Subject': 'CN=nobody' })).toMatchObject({
      status: 403,
      code: 'insufficient_scope',
    });
  });

  test('two sources that disagree are a 400', async () => {
    const fields = { ...subject, 'X-Forwarded-Client-Cert': 'Subject="CN=admin"' };
    expect(await ask(trusting, fields)).toMatchObject({ status: 400, code: 'request_invalid' });
  });

  test('its request id is kept, a stranger’s and an unfit one are not', async () => {
    expect((await ask(trusting, { ...subject, 'X-Request-Id': 'abc-123' })).requestId).toBe('abc-123');
    expect((await ask(trusting, { ...subject, 'X-Request-Id': 'a b' })).requestId).not.toBe('a b');
    expect((await ask(wary, { 'X-Request-Id': 'abc-123' })).requestId).not.toBe('abc-123');
  });

  test('the caller’s address is the rightmost that no trusted proxy has', async () => {
    await ask(trusting, { ...subject, 'X-Forwarded-For': '198.51.100.7, 203.0.113.9' });
    expect(seenBy('x-forwarded-for')).toBe('203.0.113.9');
    await ask(trusting, { ...subject, 'X-Forwarded-For': '203.0.113.9, 127.0.0.1' });
    expect(seenBy('x-forwarded-for')).toBe('203.0.113.9');
  });

  test.each([
    ['an address that is none', { 'X-Forwarded-For': 'unknown, <script>' }],
    ['a scheme that says two things', { 'X-Forwarded-Proto': 'https, http' }],
    ['a host that is none', { 'X-Forwarded-Host': 'a b' }],
    ['an identity sent twice', { 'X-Client-Id': 'a, b' }],
  ])('%s from a trusted hop is a 400, never a guess', async (_, fields) => {
    expect(await ask(trusting, { ...subject, ...fields })).toMatchObject({ status: 400, code: 'request_invalid' });
  });
});

describe('by signed ingress proof, on workerd', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startWorkerDoor(
      mtls({
        TGEFD_INGRESS_SECRET: ingressSecret,
        TGEFD_TRUSTED_PROXIES: '127.0.0.0/8',
        TGEFD_MTLS_SCOPES_HEADER: 'x-ssl-client-scopes',
      }),
    );
  });
  afterAll(() => door?.stop());

  const covered = ingressFields(['x-ssl-client-subject', 'x-client-id', 'x-ssl-client-scopes']);
  const proven = async (
    fields: Record<string, string>,
    secret = ingressSecret,
    atSeconds = Math.floor(Date.now() / 1000),
  ) => {
    const headers = new Headers({ host: 'api.example', ...fields });
    const request = { method: 'GET', target: '/v1/metrics', headers };
    const nonce = randomBytes(12).toString('base64url');
    return { ...fields, [INGRESS_PROOF_FIELD]: await signIngressProof(secret, request, covered, atSeconds, nonce) };
  };
  const subject = { 'x-ssl-client-subject': 'CN=reporter' };

  test('what a proof covers is believed', async () => {
    expect(await ask(door, await proven(subject))).toMatchObject({ status: 200 });
    expect(seenBy('x-auth-request-user')).toBe('reporter');
    expect(seenBy(INGRESS_PROOF_FIELD)).toBeNull();
  });

  test('without a proof nothing is, whatever range the address would be in', async () => {
    expect(await ask(door, subject)).toMatchObject({ status: 401, code: 'credentials_missing' });
  });

  test.each<[string, () => Promise<Record<string, string>>]>([
    [
      'a header changed after signing',
      async () => ({ ...(await proven(subject)), 'x-ssl-client-subject': 'CN=admin' }),
    ],
    ['a header added after signing', async () => ({ ...(await proven(subject)), 'x-ssl-client-scopes': '*' })],
    ['another secret', async () => proven(subject, 'another secret of more than 32 bytes')],
    ['an hour ago', async () => proven(subject, ingressSecret, Math.floor(Date.now() / 1000) - 3600)],
    ['nonsense', async () => ({ ...subject, [INGRESS_PROOF_FIELD]: 'v1;t=1;n=2;s=3' })],
  ])('%s: 400', async (_, fields) => {
    expect(await ask(door, await fields())).toMatchObject({ status: 400, code: 'request_invalid' });
  });

  test('a proof for another target is worth nothing here', async () => {
    expect(await ask(door, await proven(subject), '/metrics')).toMatchObject({ status: 400 });
  });
});

describe('by Cloudflare’s own verification, on workerd', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startWorkerDoor(mtls({}));
  });
  afterAll(() => door?.stop());
  const certificate = {
    certPresented: '1',
    certVerified: 'SUCCESS',
    certRevoked: '0',
    certSubjectDN: 'CN=reporter',
    certSubjectDNRFC2253: 'CN=reporter',
    certFingerprintSHA256: 'ab'.repeat(32),
  };
  const cf = (change: Record<string, string>) => ({
    [CF_FIELD]: JSON.stringify({ tlsClientAuth: { ...certificate, ...change } }),
  });

  test.each<[string, Record<string, string>, number]>([
    ['verified and not revoked', {}, 200],
    ['not presented', { certPresented: '0' }, 401],
    ['not verified', { certVerified: 'FAILED:self signed certificate' }, 401],
    ['none', { certVerified: 'NONE' }, 401],
    ['revoked', { certRevoked: '1' }, 401],
    ['expired', { certVerified: 'FAILED:certificate has expired' }, 401],
  ])('%s', async (_, change, status) => {
    expect((await ask(door, cf(change))).status).toBe(status);
  });

  test.each<[string, object, string | null]>([
    ['a data centre of Cloudflare received the request', { colo: 'FRA' }, '203.0.113.9'],
    ['nobody says which data centre did', {}, null],
    ['the data centre has no name', { colo: '' }, null],
  ])('believes CF-Connecting-IP only where %s', async (_, told, address) => {
    const fields = { [CF_FIELD]: JSON.stringify({ tlsClientAuth: certificate, ...told }) };
    expect((await ask(door, { ...fields, 'CF-Connecting-IP': '203.0.113.9' })).status).toBe(200);
    expect(seenBy('x-forwarded-for')).toBe(address);
  });

  test('a header that claims a certificate changes nothing', async () => {
    expect((await ask(door, { ...cf({ certPresented: '0' }), 'X-SSL-Client-Subject': 'CN=reporter' })).status).toBe(
      401,
    );
  });
});

describe.skipIf('missing' in openssl)('by the Node door’s own TLS', () => {
  let folder: string;
  let ours: Authority;
  let stranger: Authority;
  let door: StartedDoor;
  let server: IssuedCertificate;
  const clients = new Map<string, IssuedCertificate>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tgefd-tls-'));
    [ours, stranger] = await Promise.all([startAuthority(openssl), startAuthority(openssl, 'A stranger')]);
    const day = 24 * 3600 * 1000;
    server = await ours.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost', 'IP:127.0.0.1'],
      usage: 'serverAuth',
    });
    clients.set('valid', await ours.issue({ subject: '/CN=reporter' }));
    clients.set(
      'by SAN',
      await ours.issue({ subject: '/CN=someone', subjectAltNames: ['URI:spiffe://example/analyst'] }),
    );
    clients.set(
      'wrong SAN',
      await ours.issue({ subject: '/CN=someone', subjectAltNames: ['URI:spiffe://example/other'] }),
    );
    clients.set('wrong authority', await stranger.issue({ subject: '/CN=reporter' }));
    clients.set(
      'expired',
      await ours.issue({
        subject: '/CN=reporter',
        notBefore: new Date(Date.now() - 2 * day),
        notAfter: new Date(Date.now() - day),
      }),
    );
    const revoked = await ours.issue({ subject: '/CN=reporter' });
    await ours.revoke(revoked);
    clients.set('revoked', revoked);
    const files = {
      'server.pem': server.pem,
      'server.key': server.keyPem,
      'ca.pem': ours.pem,
      'crl.pem': await ours.revocationList(),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    door = await startNodeDoor(
      mtls({
        TGEFD_TLS_CERT_FILE: join(folder, 'server.pem'),
        TGEFD_TLS_KEY_FILE: join(folder, 'server.key'),
        TGEFD_TLS_CLIENT_CA_FILE: join(folder, 'ca.pem'),
        TGEFD_TLS_CLIENT_CRL_FILE: join(folder, 'crl.pem'),
      }),
    );
  });
  afterAll(async () => {
    await Promise.all([door?.stop(), ours?.stop(), stranger?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const call = (client: string | null, fields: Record<string, string> = {}) =>
    new Promise<{ status: number; version: string }>((resolve, reject) => {
      const shown = client === null ? undefined : clients.get(client);
      const outgoing = httpsRequest(
        {
          host: '127.0.0.1',
          port: door.port,
          path: '/v1/metrics',
          servername: 'localhost',
          ca: ours.pem,
          agent: false,
          headers: fields,
          ...(shown ? { cert: shown.pem, key: shown.keyPem } : {}),
        },
        (incoming) => {
          incoming.resume();
          resolve({
            status: incoming.statusCode ?? 0,
            version: (incoming.socket as import('node:tls').TLSSocket).getProtocol() ?? '',
          });
        },
      );
      outgoing.once('error', reject);
      outgoing.end();
    });

  test.each([
    ['valid', 200],
    ['by SAN', 200],
    ['wrong SAN', 403],
    ['wrong authority', 401],
    ['expired', 401],
    ['revoked', 401],
    [null, 401],
  ])('a client certificate that is %s: %i', async (client, status) => {
    expect((await call(client)).status).toBe(status);
  });

  test('a header cannot stand in for the certificate', async () => {
    expect((await call(null, { 'x-ssl-client-subject': 'CN=reporter' })).status).toBe(401);
    expect((await call('wrong authority', { 'x-ssl-client-subject': 'CN=reporter' })).status).toBe(401);
  });

  test('a new server certificate is taken up without a restart', async () => {
    const next = await ours.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    await writeFile(join(folder, 'server.key'), next.keyPem);
    await writeFile(join(folder, 'server.pem'), next.pem);
    const deadline = Date.now() + 10_000;
    while (!door.lines.some((line) => line.includes('tls_reloaded')) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await call('valid')).status).toBe(200);
    expect(door.lines.some((line) => line.includes('tls_reloaded'))).toBe(true);
  });
});
