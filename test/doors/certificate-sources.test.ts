import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const openssl = await opensslProgram();

/* Certificates as an AWS load balancer and Traefik pass them on, made by a real authority, through the Node gateway. */
describeWith([openssl], 'certificates that a load balancer or Traefik passes on', () => {
  let [authority, stranger]: Authority[] = [];
  let upstream: Upstream;
  let door: StartedDoor;
  let folder: string;
  let [own, foreign, server]: IssuedCertificate[] = [];

  beforeAll(async () => {
    [authority, stranger, upstream] = await Promise.all([
      startAuthority(openssl, 'Example CA'),
      startAuthority(openssl, 'Stranger CA'),
      startUpstream(),
    ]);
    const names = { subjectAltNames: ['URI:spiffe://example.org/ns/prod/sa/web'] };
    own = await authority?.issue({ subject: '/O=Example/OU=Operations/CN=web', ...names });
    foreign = await stranger?.issue({ subject: '/O=Example/OU=Operations/CN=web', ...names });
    server = await authority?.issue({ subject: '/O=Example/OU=Operations/CN=web', ...names, usage: 'serverAuth' });
    folder = await mkdtemp(join(tmpdir(), 'authorities-'));
    await writeFile(join(folder, 'ca.pem'), authority?.pem ?? '');
    door = await startNodeDoor({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'mtls',
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_MTLS_SOURCES: 'alb,traefik',
      TGEFD_MTLS_CA_FILE: join(folder, 'ca.pem'),
      TGEFD_ENDPOINTS: JSON.stringify([{ method: 'GET', path: '/fields', scope: 'fields', budget: 'none' }]),
      TGEFD_MTLS_POLICY: JSON.stringify([
        { san: 'URI:spiffe://example.org/ns/prod/*', ou: 'Operations', issuer: 'CN=Example CA', scopes: 'fields' },
      ]),
    });
  });
  afterAll(async () => {
    await Promise.all([door?.stop(), upstream?.stop(), authority?.stop(), stranger?.stop()]);
    if (folder) await rm(folder, { recursive: true });
  });

  const ask = async (fields: readonly string[]) => {
    const before = upstream.received.length;
    const answer = await requestRaw(door.port, 'GET /fields HTTP/1.1', ['Host: api.example', ...fields]);
    const sent = upstream.received[before]?.fields.find(([name]) => name.toLowerCase() === 'x-auth-request-user');
    return [answer.status, sent?.[1] ?? null];
  };
  const base64 = (certificate?: IssuedCertificate) => (certificate?.pem ?? '').replace(/-----[^-]+-----|\s/g, '');
  const leaf = (certificate?: IssuedCertificate) =>
    `X-Amzn-Mtls-Clientcert-Leaf: ${encodeURIComponent(certificate?.pem ?? '')}`;
  const caller = 'spiffe://example.org/ns/prod/sa/web';

  test('a load balancer that has verified the certificate', async () => {
    expect(await ask([leaf(own)])).toEqual([200, caller]);
    const subject = 'X-Amzn-Mtls-Clientcert-Subject: CN=web,OU=Operations,O=Example';
    expect(await ask([leaf(own), subject])).toEqual([200, caller]);
    expect(await ask([leaf(own), 'X-Amzn-Mtls-Clientcert-Subject: CN=admin'])).toEqual([400, null]);
    expect(await ask([leaf(own), leaf(own)])).toEqual([400, null]);
    // The rule names the issuer.
    expect(await ask([leaf(foreign)])).toEqual([403, null]);
  });

  test('a load balancer that passes certificates through unverified counts for nothing', async () => {
    expect(await ask([`X-Amzn-Mtls-Clientcert: ${encodeURIComponent(own?.pem ?? '')}`])).toEqual([401, null]);
  });

  test('Traefik, whose certificates are verified here', async () => {
    const field = 'X-Forwarded-Tls-Client-Cert';
    expect(await ask([`${field}: ${base64(own)}`])).toEqual([200, caller]);
    expect(await ask([`${field}: ${encodeURIComponent(base64(own))}`])).toEqual([200, caller]);
    expect(await ask([`${field}: ${base64(foreign)}`])).toEqual([401, null]);
    expect(await ask([`${field}: ${base64(server)}`])).toEqual([401, null]);
    expect(await ask([`${field}: ${base64(foreign)},${base64(own)}`])).toEqual([401, null]);
  });

  test('both, where they name the same certificate, and never where they do not', async () => {
    expect(await ask([leaf(own), `X-Forwarded-Tls-Client-Cert: ${base64(own)}`])).toEqual([200, caller]);
    expect(await ask([leaf(foreign), `X-Forwarded-Tls-Client-Cert: ${base64(own)}`])).toEqual([400, null]);
  });

  test('a source that is not listed counts for nothing', async () => {
    expect(await ask(['X-Ssl-Client-Subject: CN=web,OU=Operations,O=Example'])).toEqual([401, null]);
  });
});
