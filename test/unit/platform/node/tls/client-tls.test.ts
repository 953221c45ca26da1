import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, createServer, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identifyConnections } from '../../../../../lib/platform/node/tls/client-connections.ts';
import { createClientTls } from '../../../../../lib/platform/node/tls/client-tls.ts';
import { type Authority, opensslProgram, startAuthority } from '../../../../support/certificates.ts';
import { describeWith } from '../../../../support/describe-with.ts';
import { type LoopbackServer, listenOnLoopback } from '../../../../support/loopback-server.ts';

const openssl = await opensslProgram();

describeWith([openssl], 'as whom a host is called', () => {
  let authority: Authority;
  let host: LoopbackServer;
  let folder: string;
  const contexts: SecureContext[] = [];
  const callers: string[] = [];
  let arrived = () => {};

  beforeAll(async () => {
    [authority, folder] = await Promise.all([startAuthority(openssl), mkdtemp(join(tmpdir(), 'tgefd-client-tls-'))]);
    const server = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    for (const name of ['first', 'second']) {
      const { pem, keyPem } = await authority.issue({ subject: `/CN=${name}` });
      contexts.push(createSecureContext({ cert: pem, key: keyPem, ca: authority.pem }));
    }
    const options = { cert: server.pem, key: server.keyPem, ca: authority.pem };
    host = await listenOnLoopback(
      createServer({ ...options, requestCert: true, rejectUnauthorized: false }, ({ socket }, outgoing) => {
        callers.push(String((socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody'));
        arrived();
        outgoing.end('in');
      }),
    );
  }, 60_000);
  afterAll(async () => {
    await Promise.all([host?.down(), authority?.stop(), rm(folder, { recursive: true, force: true })]);
  });

  const ask = (agent: Agent) =>
    new Promise<number | undefined>((resolve, reject) => {
      get({ host: 'localhost', port: host.port, agent }, (incoming: IncomingMessage) => {
        incoming.resume().once('end', () => resolve(incoming.statusCode));
      }).once('error', reject);
    });

  test('a request that waits for a busy connection gets one by the new certificate once there is one', async () => {
    let [current = createSecureContext()] = contexts;
    const identify = identifyConnections({ contextOf: () => current, onChange: () => {} });
    const agent = identify(new Agent({ keepAlive: true, maxSockets: 1 }));
    callers.length = 0;
    arrived = () => {
      current = contexts[1] ?? current;
    };
    expect(await Promise.all([ask(agent), ask(agent), ask(agent)])).toEqual([200, 200, 200]);
    expect(callers).toEqual(['first', 'second', 'second']);
    agent.destroy();
  });

  test('while its files cannot be used nobody is believed, not even whom the system would believe', async () => {
    const path = join(folder, 'ca.pem');
    await writeFile(path, 'half a fi');
    const tls = createClientTls({
      TGEFD_INTERNAL_TLS_HOSTS: `localhost:${host.port}`,
      TGEFD_INTERNAL_TLS_CA_FILE: path,
    });
    expect(tls.problems.map(({ variable }) => variable)).toEqual(['TGEFD_INTERNAL_TLS_CA_FILE']);
    callers.length = 0;
    const believing = () => new Agent({ ca: authority.pem });
    expect(await ask(believing())).toBe(200);
    await expect(ask(identifyConnections(tls)(believing()))).rejects.toThrow('certificate');
    expect(callers).toEqual(['nobody']);
  });
});
