import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { freePort } from '../support/child.ts';
import type { DoorEnv } from '../support/door.ts';
import { liveHeapMiB } from './live-heap.ts';
import { attackOnce, attacksOf } from './load-attacks.ts';
import { startLoadSetting } from './load-setting.ts';
import { type Differences, differencesFound, plantedIn, shadowTable } from './load-shadow.ts';

/*
 * Load through the documented nginx in front of the Node door in production: 99 of 100 requests are honest, one is hostile:
 * of the door table, with a revoked token, or over its budget. `npm run bench -- load`.
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
  /** Outages of ours as they were told, to whomever: Redis too slow, say. Denials that are stated, and none is wanted. */
  readonly outages: readonly string[];
  /** How often which denial was told to the hostile, by status and code. */
  readonly denials: Readonly<Record<string, number>>;
  /** Decisions that were answered, and records of them in the outbox. */
  readonly decided: number;
  readonly recorded: number;
  /** What the second table decides otherwise: as it was planted, and as `policy shadow` found it in the records. */
  readonly differences: { readonly planted: Differences; readonly found: Differences };
  /** What the door's heap held after a full collection in MiB: when a fifth had been asked, and at the end. */
  readonly liveHeapMiB: { readonly settled: number; readonly last: number };
  /** Resident memory of the door in MiB: medians of the second and of the last fifth, and the highest from there on. */
  readonly residentMiB: { readonly settled: number; readonly highest: number; readonly last: number };
}

const CONCURRENCY = 32;
const HOSTILE_ONE_IN = 100;
const MEMORY_SAMPLES = 100;
/** Callers whose tokens come again and again; the others come once. */
const HOT_TOKENS = 256;
/** One honest request in so many brings a token that was never seen. */
const COLD_ONE_IN = 50;
const HONEST = [
  ['POST', '/v1/discover'],
  ['POST', '/v1/evaluate'],
  ['GET', '/v1/jobs/42?verbose=1'],
  ['GET', '/v1/metrics'],
] as const;

/** Budgets that no honest caller of this load exhausts, and that the flooder does with its second request. */
const BUDGETS = {
  TGEFD_RATE_LIMIT_PER_MINUTE: '2000',
  TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '1000',
  TGEFD_RATE_LIMIT_OVERRIDES: JSON.stringify([{ subject: 'flooder', budget: 'general', per_minute: 1 }]),
};

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

function sorted(values: readonly number[]) {
  return [...values].sort((one, other) => one - other);
}
function at(values: readonly number[], share: number) {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

/**
 * Sends `requests` through nginx and tells how it went; `more` adds variables of the door. Throws where a program that it needs
 * is not to be had.
 */
export async function loadThroughNginx(requests: number, more: DoorEnv = {}): Promise<LoadReport> {
  const inspector = await freePort();
  const setting = await startLoadSetting({
    ...BUDGETS,
    TGEFD_SHADOW_ENDPOINTS: shadowTable,
    NODE_OPTIONS: `--inspect=127.0.0.1:${inspector}`,
    ...more,
  });
  const { issuer, upstream, door, proxy } = setting;
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  try {
    const token = (_: unknown, number: number) => issuer.token({ subject: `caller-${number}`, algorithm: 'ES256' });
    const hot = await Promise.all(Array.from({ length: HOT_TOKENS }, token));
    const cold = await Promise.all(Array.from({ length: Math.ceil(requests / COLD_ONE_IN) }, token));
    const attacks = await attacksOf(setting);
    const recordsBefore = await setting.records();

    const errors: string[] = [];
    const outages: string[] = [];
    const denials: Record<string, number> = {};
    const times: number[] = [];
    const memory: number[] = [];
    const planted: Record<string, number> = {};
    const plant = (sent: Parameters<typeof plantedIn>[0]) => {
      const difference = plantedIn(sent);
      if (difference !== null) planted[difference] = (planted[difference] ?? 0) + 1;
    };
    let settledHeapMiB = 0;
    let decided = 0;
    let hostile = 0;
    let next = 0;

    const honest = (number: number) =>
      new Promise<void>((resolve) => {
        const [method, path] = HONEST[number % HONEST.length] ?? HONEST[0];
        const bearer = number % COLD_ONE_IN === 0 ? cold[number / COLD_ONE_IN] : hot[number % HOT_TOKENS];
        const body = method === 'POST' ? '{}' : '';
        const fail = (what: unknown) => {
          errors.push(`${method} ${path}: ${what}`);
          resolve();
        };
        const headers = { authorization: `Bearer ${bearer}`, ...(body ? { 'content-length': body.length } : {}) };
        const beganMs = performance.now();
        const outgoing = request({ host: '127.0.0.1', port: proxy.port, agent, method, path, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.once('error', fail);
          response.once('end', () => {
            times.push(performance.now() - beganMs);
            const isDecided = response.headers['x-request-id'] !== undefined;
            if (isDecided) decided += 1;
            plant({ method, path, told: `${response.statusCode}`, decided: isDecided, known: true });
            if (response.statusCode === 200) return resolve();
            const code = /"code":"(\w+_unavailable)"/.exec(text)?.[1];
            if (response.statusCode !== 503 || code === undefined) return fail(`${response.statusCode} ${text}`);
            outages.push(`503 ${code}`);
            resolve();
          });
        });
        outgoing.once('error', fail);
        outgoing.end(body);
      });

    const attack = async () => {
      const one = attacks[hostile++ % attacks.length];
      if (one === undefined) return;
      try {
        const answer = await attackOnce(proxy.port, one);
        if (answer.decided) decided += 1;
        const { method = 'GET', target } = one.request;
        plant({ method, path: target, ...answer, known: one.name === 'a flood' });
        denials[answer.told] = (denials[answer.told] ?? 0) + 1;
        if (answer.told.startsWith('503 ')) outages.push(answer.told);
        else if (!one.owed.includes(answer.told)) errors.push(`${one.name}: ${answer.told}`);
      } catch (error) {
        errors.push(`${one.name}: ${error}`);
      }
    };

    const beganMs = performance.now();
    const lane = async () => {
      for (let number = next++; number < requests; number = next++) {
        await (number % HOSTILE_ONE_IN === 7 ? attack() : honest(number));
        if (number % Math.ceil(requests / MEMORY_SAMPLES) === 0) memory.push(await residentMiB(door.pid));
        if (number === Math.floor(requests / 5)) settledHeapMiB = await liveHeapMiB(inspector);
        upstream.received.length = 0; // It remembers every request for tests that look at them.
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
    const seconds = (performance.now() - beganMs) / 1000;

    const inOrder = sorted(times);
    const fifth = Math.floor(memory.length / 5);
    return {
      requests,
      hostile,
      seconds,
      p50: at(inOrder, 0.5),
      p99: at(inOrder, 0.99),
      slowest: at(inOrder, 1),
      errors,
      outages,
      denials,
      decided,
      recorded: (await setting.records()) - recordsBefore,
      differences: { planted, found: differencesFound(await setting.shadow()) },
      liveHeapMiB: { settled: settledHeapMiB, last: await liveHeapMiB(inspector) },
      residentMiB: {
        settled: at(sorted(memory.slice(fifth, 2 * fifth)), 0.5),
        highest: Math.max(...memory.slice(fifth)),
        last: at(sorted(memory.slice(-fifth)), 0.5),
      },
    };
  } finally {
    agent.destroy();
    await setting.stop();
  }
}
