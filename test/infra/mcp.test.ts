import { execFile } from 'node:child_process';
import { createServer, request as send } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Child, freePort, startChild } from '../support/child.ts';
import { pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import type { StartedDoor } from '../support/door.ts';
import { CLIENT, type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { acceptsConnections } from '../support/listening.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import type { StartedProxy } from '../support/proxy.ts';
import { toolFolder } from '../support/tool-folder.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

/*
 * A server and a client of MCP by its official SDK, unchanged, with the product between them; and the public conformance
 * scenarios against that server, through the product.
 */

const run = promisify(execFile);
const [tools, proxies] = await Promise.all([toolFolder(), documentedProxies()]);
const nginx = proxies.find(({ door }) => door === 'nginx');
if (nginx === undefined) throw new Error('no documented nginx');

const endpoints = [
  { mcp: { method: 'tools/call', name: 'delete_*' }, scope: 'evaluate' },
  { mcp: { method: '*' }, scope: 'discover' },
].map((row) => ({ method: 'POST', path: '/mcp', budget: 'none', ...row }));

let issuer: Issuer;
let server: Child;
let worker: StartedDoor;
let legacy: StartedDoor;
let check: StartedDoor;
let proxy: StartedProxy;

describeWith([tools, nginx.program], 'a server of MCP', () => {
  beforeAll(async () => {
    const [serverPort, workerPort, proxyPort] = [await freePort(), await freePort(), await freePort()];
    issuer = await startIssuer();
    server = await startChild({
      command: process.execPath,
      args: [join(pathOf(tools), 'mcp-server.mjs'), String(serverPort)],
      ready: () => acceptsConnections(serverPort),
    });
    const environment = (port: number) => ({
      ...jwtEnvironment(issuer),
      TGEFD_PRESET: 'none',
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_ENDPOINTS: JSON.stringify(endpoints),
      TGEFD_RESOURCE: `http://127.0.0.1:${port}/mcp`,
    });
    const upstream = { TGEFD_UPSTREAM_URL: `http://127.0.0.1:${serverPort}` };
    const trust = { TGEFD_FORWARD_AUTH: 'nginx', TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' };
    const legacyPort = await freePort();
    [worker, legacy, check] = await Promise.all([
      startWorkerDoor({ ...environment(workerPort), ...upstream }, { port: workerPort }),
      startNodeDoor({ ...environment(legacyPort), ...upstream, TGEFD_MCP_LEGACY: 'true' }, undefined, legacyPort),
      startNodeDoor({ ...environment(proxyPort), ...trust }),
    ]);
    proxy = await nginx.start(check.port, serverPort, undefined, [], undefined, proxyPort);
  });
  afterAll(() => Promise.all([proxy, worker, legacy, check, server, issuer].map((part) => part?.stop())));

  /** What the client of the SDK was told at each of its steps. */
  async function walk(port: number, era: 'modern' | 'legacy' = 'modern'): Promise<Record<string, unknown[]>> {
    const program = join(pathOf(tools), 'mcp-client.mjs');
    const url = `http://127.0.0.1:${port}/mcp`;
    const { stdout } = await run(process.execPath, [program, url, CLIENT.id, CLIENT.secret, 'discover', era]);
    const steps = stdout
      .trim()
      .split('\n')
      .map((line): { step: string; value: unknown } => JSON.parse(line));
    return Object.fromEntries(
      [...Map.groupBy(steps, ({ step }) => step)].map(([step, all]) => [step, all.map(({ value }) => value)]),
    );
  }

  test.each(['Worker', 'nginx', 'legacy'] as const)('serves the client of the SDK through %s', async (way) => {
    const port = { Worker: worker, nginx: proxy, legacy }[way].port;
    const told = await walk(port, way === 'legacy' ? 'legacy' : 'modern');
    expect(told).toMatchObject({
      search: ['found dune'],
      // It asked for another token when it was told that one more scope is needed. A legacy request without a token names
      // no row, so its client asks for every scope of the metadata.
      delete: ['deleted 7'],
      scopes: way === 'legacy' ? ['evaluate discover', 'evaluate discover'] : ['discover', 'discover evaluate'],
      encoded: ['übersetzt'],
      countdown: ['done'],
      resource: ['This is the content of the static text resource.'],
    });
    // Each event left as it came: the last one is not waited for.
    const [[first = 0, , , last = 0] = []] = told.arrivals as number[][];
    expect(told.arrivals).toEqual([[expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)]]);
    expect(last - first).toBeGreaterThan(250);
  });

  test.each([
    'tools-list',
    'tools-call-with-progress',
    'resources-read-text',
    'prompts-get-simple',
    'server-sse-multiple-streams',
    'http-header-validation',
  ])('passes the public conformance scenario %s through the Worker', async (scenario) => {
    const front = await startFront(worker.port, await issuer.token({ scope: 'discover evaluate' }));
    const program = join(pathOf(tools), 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
    const wanted = [
      '--url',
      `http://127.0.0.1:${front.port}/mcp`,
      '--scenario',
      scenario,
      '--spec-version',
      '2026-07-28',
    ];
    const { stdout } = await run(process.execPath, [program, 'server', ...wanted]).finally(front.down);
    expect(stdout).toMatch(/Passed: (\d+)\/\1, 0 failed/);
  });
});

/** Adds a token to each request, which the conformance scenarios do not know of. */
function startFront(port: number, token: string) {
  return listenOnLoopback(
    createServer((request, response) => {
      const headers = { ...request.headers, authorization: `Bearer ${token}` };
      const onward = send({ host: '127.0.0.1', port, path: request.url, method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
      response.on('close', () => onward.destroy());
    }),
  );
}
