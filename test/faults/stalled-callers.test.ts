import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { opensslProgram, startAuthority } from '../support/certificates.ts';
import { type Child, freePort, startChild } from '../support/child.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts';
import { inspect } from '../support/soak/inspector.ts';

/** STALLED_CALLERS=1000 is nearly as many as the gateway makes connections to its upstream. */
const CALLERS = Number(process.env.STALLED_CALLERS ?? 100);
/** Every caller must have come before the first is ended. */
const IDLE_SECONDS = Math.max(2, Math.round(CALLERS / 50));
const NAMES = Array.from({ length: 20 }, (_, number) => `caller${number}`);
const keyOf = (name: string) => `key-of-${name}-of-the-tests`;
const OTHER = NAMES.at(-1) ?? '';
const LARGE = Buffer.alloc(512 * 1024, 'x');
/** What code that runs for the first time takes. */
const CODE_MIB = 60;

let upstream: RawUpstream;
let folder: string;
let door: Awaited<ReturnType<typeof startNodeDoor>> | null = null;
let callers: Child | null = null;
beforeAll(async () => {
  upstream = await startRawUpstream(({ head }, socket) => {
    if (!head.startsWith('GET /large')) return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\n\r\n`);
    socket.write(LARGE);
    return null;
  });
  folder = await mkdtemp(join(tmpdir(), 'tgefd-stalled-'));
  const authority = await startAuthority(await opensslProgram());
  const { pem, keyPem } = await authority.issue({ subject: '/CN=gateway', usage: 'serverAuth' });
  await Promise.all([writeFile(join(folder, 'tls.crt'), pem), writeFile(join(folder, 'tls.key'), keyPem)]);
  await authority.stop();
});
afterAll(() => Promise.all([upstream?.stop(), rm(folder, { recursive: true, force: true })]));
afterEach(async () => {
  await callers?.kill();
  await door?.stop();
  [callers, door] = [null, null];
});

const TLS = () => ({
  TGEFD_TLS_CERT_FILE: join(folder, 'tls.crt'),
  TGEFD_TLS_KEY_FILE: join(folder, 'tls.key'),
});

async function start(more: Record<string, string>) {
  const row = (method: string, path: string) => ({ method, path, scope: null, budget: 'none' });
  const inspectorPort = await freePort();
  door = await startNodeDoor({
    NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}`,
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'api_key',
    TGEFD_API_KEY: NAMES.map((name) => `${name}:${keyOf(name)}`).join(','),
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_ENDPOINTS: JSON.stringify([row('GET', '/large'), row('GET', '/ok'), row('POST', '/upload')]),
    TGEFD_AUDIT_MODE: 'off',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_IDLE_TIMEOUT_SEC: `${IDLE_SECONDS}`,
    ...more,
  });
  const { pid, port, lines } = door;
  const isSecure = more.TGEFD_TLS_CERT_FILE !== undefined;
  return {
    lines: () => lines.join('\n'),
    residentMiB: () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
    connections: () => connectionsOf(port),
    held: () => inspect(inspectorPort),
    status: isSecure
      ? (path: string, key: string) => secureStatus({ port, path, headers: { 'x-api-key': key } })
      : async (path: string, key: string) =>
          (await requestRaw(port, `GET ${path} HTTP/1.1`, ['Host: a', `X-Api-Key: ${key}`])).status,
    async stall(line: string, fields: readonly string[], body: string) {
      const message = [line, 'Host: a', 'X-Api-Key: {key}', ...fields, '', body].join('\r\n');
      const keys = NAMES.slice(0, -1).map(keyOf).join(',');
      const script = join(import.meta.dirname, '../support/stalled-callers.py');
      callers = await startChild({
        command: 'python3',
        args: [script, isSecure ? 'https' : 'http', `${port}`, `${CALLERS}`, keys, message],
        ready: (told) => told.includes(`sent ${CALLERS}`),
        readyTimeoutMs: 60_000,
      });
      return callers;
    },
  };
}

function secureStatus(options: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', agent: false, rejectUnauthorized: false, ...options }, (incoming) => {
      incoming.resume().once('end', () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.once('error', reject).end();
  });
}

/** Connections of a port that the kernel holds bytes for, also those that no process owns any more. */
function connectionsOf(port: number): number {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const [waiting, listening] = ['06', '0A'];
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local === address && state !== waiting && state !== listening).length;
}

/** Somebody else asks again and again meanwhile. Gives the slowest pair of answers, and the most memory. */
async function askMeanwhile(gateway: Awaited<ReturnType<typeof start>>, milliseconds: number) {
  const begunMs = performance.now();
  let [slowestMs, peakMiB] = [0, gateway.residentMiB()];
  while (performance.now() - begunMs < milliseconds) {
    const askedMs = performance.now();
    expect(await gateway.status('/ok', keyOf(OTHER))).toBe(200);
    expect(await gateway.status('/healthz', '')).toBe(200);
    slowestMs = Math.max(slowestMs, performance.now() - askedMs);
    peakMiB = Math.max(peakMiB, gateway.residentMiB());
    await pass(50);
  }
  return { slowestMs, peakMiB };
}

const READERS = ['GET /large HTTP/1.1', [], '', 'answer_stalled'] as const;
const SENDERS = ['POST /upload HTTP/1.1', ['Content-Length: 100000'], 'half', 'upload_stalled'] as const;

describe.each([
  ['read nothing of their answer', () => ({}), READERS],
  ['read nothing of their answer over TLS', TLS, READERS],
  ['stop in the middle of their upload', () => ({}), SENDERS],
] as const)('callers who %s', (_, settings, [line, fields, body, told]) => {
  test('stop nobody else, cost bounded memory, and leave nothing after the idle time', async () => {
    const gateway = await start(settings());
    await askMeanwhile(gateway, 200);
    const [before, { heapMiB }] = [gateway.residentMiB(), await gateway.held()];
    const descriptors = gateway.descriptors() - upstream.sockets();
    const stalled = await gateway.stall(line, fields, body);
    await expect.poll(() => upstream.sockets(), { timeout: 20_000 }).toBeGreaterThanOrEqual(CALLERS);
    const { slowestMs, peakMiB } = await askMeanwhile(gateway, 500);
    expect(slowestMs).toBeLessThan(2_000);
    expect(peakMiB - before).toBeLessThan(CODE_MIB + CALLERS);

    // Node sees one time late that the last bytes had left.
    const endsMs = 2 * IDLE_SECONDS * 1000 + 10_000;
    await expect.poll(() => stalled.lines.at(-1), { timeout: endsMs }).toBe(`ended ${CALLERS} of ${CALLERS}`);
    await expect.poll(gateway.connections, { timeout: 3_000 }).toBe(0);
    expect(gateway.lines().includes(told)).toBe(true);
    expect((await askMeanwhile(gateway, 200)).slowestMs).toBeLessThan(1_000);
    const after = await gateway.held();
    expect(after.heapMiB).toBeLessThan(heapMiB + 10);
    expect(gateway.descriptors() - upstream.sockets()).toBeLessThanOrEqual(descriptors + 1);
  }, 120_000);
});
