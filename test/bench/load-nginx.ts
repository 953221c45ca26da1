import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { makeCredentials } from '../doors/credentials.ts';
import { type DoorCase, doorTable } from '../doors/table.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import { startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream } from '../support/upstream.ts';

/**
 * Load through the documented nginx in front of the Node door: 99 of 100 requests are honest, one is a hostile one of the door
 * table. By hand: `node test/bench/load-nginx.ts [requests]` (50,000), after `npm run build`.
 */

export interface LoadReport {
  readonly requests: number;
  readonly hostile: number;
  readonly seconds: number;
  /** Of honest requests, milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  /** Answers that nobody owed: what was asked, and what came. */
  readonly errors: readonly string[];
  /** Resident memory of the door in MiB: after the first fifth, and the highest and the last of the rest. */
  readonly residentMiB: { readonly settled: number; readonly highest: number; readonly last: number };
}

const CONCURRENCY = 32;
const HOSTILE_ONE_IN = 100;
const HOT_TOKENS = 64;
/** One honest request in so many brings a token that was never seen. */
const COLD_ONE_IN = 50;
const HONEST = [
  ['POST', '/v1/discover'],
  ['POST', '/v1/evaluate'],
  ['GET', '/v1/jobs/42?verbose=1'],
  ['GET', '/v1/metrics'],
] as const;

const residentMiB = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
};

/** Sends `requests` through nginx and tells how it went. Throws where nginx is not to be had. */
export const loadThroughNginx = async (requests: number): Promise<LoadReport> => {
  const nginx = (await documentedProxies()).find(({ door }) => door === 'nginx');
  if (!nginx || 'missing' in nginx.program) throw new Error('nginx is not to be had');
  const [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
  const door = await startNodeDoor({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWKS_URL: issuer.keySetUrl,
    TGEFD_JWT_ISSUER: issuer.url,
    TGEFD_JWT_AUDIENCE: issuer.audience,
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_FORWARD_AUTH: 'nginx',
    TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
    TGEFD_RATE_LIMIT_PER_MINUTE: '1000000',
    TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '1000000',
    TGEFD_METRICS_ENABLED: 'true',
    TGEFD_AUDIT_LOG: 'false',
  });
  const proxy = await nginx.start(door.port, upstream.port);
  try {
    const credentials = await makeCredentials(issuer);
    const hostile = doorTable.filter(({ expect }) => expect.status !== 200);
    const token = () => issuer.token({ subject: `caller-${Math.floor(Math.random() * 1000)}`, algorithm: 'ES256' });
    const hot = await Promise.all(Array.from({ length: HOT_TOKENS }, token));
    const cold = await Promise.all(Array.from({ length: Math.ceil(requests / COLD_ONE_IN) }, token));

    const errors: string[] = [];
    const times: number[] = [];
    const memory: number[] = [];
    let hostileSent = 0;
    let next = 0;

    const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
    const honest = (number: number) =>
      new Promise<void>((resolve) => {
        const [method, path] = HONEST[number % HONEST.length] ?? HONEST[0];
        const bearer = number % COLD_ONE_IN === 0 ? cold[number / COLD_ONE_IN] : hot[number % HOT_TOKENS];
        const body = method === 'POST' ? '{}' : '';
        const beganMs = performance.now();
        const outgoing = request(
          {
            host: '127.0.0.1',
            port: proxy.port,
            agent,
            method,
            path,
            headers: { authorization: `Bearer ${bearer}`, ...(body ? { 'content-length': body.length } : {}) },
          },
          (response) => {
            response.resume();
            response.once('end', () => {
              times.push(performance.now() - beganMs);
              if (response.statusCode !== 200) errors.push(`${method} ${path}: ${response.statusCode}`);
              resolve();
            });
            response.once('error', (error) => {
              errors.push(`${method} ${path}: ${error.message}`);
              resolve();
            });
          },
        );
        outgoing.once('error', (error) => {
          errors.push(`${method} ${path}: ${error.message}`);
          resolve();
        });
        outgoing.end(body);
      });

    const attack = async (number: number) => {
      hostileSent += 1;
      const one = hostile[Math.floor(number / HOSTILE_ONE_IN) % hostile.length] as DoorCase;
      const fields = [
        `Host: 127.0.0.1:${proxy.port}`,
        ...(one.credential ? [`Authorization: Bearer ${credentials[one.credential]}`] : []),
        ...(one.fields ?? []).map(([name, value]) => `${name}: ${value}`),
      ];
      const line = `${one.method ?? 'GET'} ${one.target} HTTP/1.1`;
      const status = await requestRaw(proxy.port, line, fields, one.body).then(
        (answer) => answer.status,
        (error: unknown) => String(error),
      );
      if (status !== one.expect.status) errors.push(`${one.name}: ${status}`);
    };

    const beganMs = performance.now();
    const lane = async () => {
      for (let number = next++; number < requests; number = next++) {
        if (number % HOSTILE_ONE_IN === 7) await attack(number);
        else await honest(number);
        if (number % Math.ceil(requests / 50) === 0) memory.push(await residentMiB(door.pid));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
    const seconds = (performance.now() - beganMs) / 1000;
    agent.destroy();

    times.sort((one, other) => one - other);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    const settledAt = Math.floor(memory.length / 5);
    return {
      requests,
      hostile: hostileSent,
      seconds,
      p50: at(0.5),
      p99: at(0.99),
      slowest: at(1),
      errors,
      residentMiB: {
        settled: memory[settledAt] ?? 0,
        highest: Math.max(...memory.slice(settledAt)),
        last: memory.at(-1) ?? 0,
      },
    };
  } finally {
    await proxy.stop();
    await Promise.all([door.stop(), issuer.stop(), upstream.stop()]);
  }
};

if (import.meta.main) {
  const report = await loadThroughNginx(Number(process.argv[2] ?? 50_000));
  const { requests, hostile, seconds, p50, p99, slowest, errors, residentMiB: memory } = report;
  process.stdout.write(
    [
      `${requests} requests, ${hostile} of them hostile, in ${seconds.toFixed(1)} s (${Math.round(requests / seconds)} a second)`,
      `honest requests: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`,
      `resident memory of the door: ${memory.settled.toFixed(0)} MiB after a fifth, highest ${memory.highest.toFixed(0)}, at the end ${memory.last.toFixed(0)}`,
      errors.length === 0 ? 'no answer that nobody owed' : `${errors.length} answers that nobody owed:`,
      ...[...new Set(errors)].slice(0, 20).map((error) => `  ${error}`),
      '',
    ].join('\n'),
  );
  process.exitCode = errors.length === 0 ? 0 : 1;
}
