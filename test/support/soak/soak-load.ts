import { Agent, request as ask, type IncomingMessage } from 'node:http';
import { setTimeout as pass } from 'node:timers/promises';
import { choose, type Random } from '../random.ts';
import type { SoakParts } from './soak-parts.ts';

/** The documented codes of denials that the load can meet, and the status of each. */
const STATUS_OF: Readonly<Record<string, number>> = {
  request_invalid: 400,
  credentials_missing: 401,
  credentials_invalid: 401,
  insufficient_scope: 403,
  endpoint_unknown: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  rate_limited: 429,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  keys_unavailable: 503,
  revocation_unavailable: 503,
  limits_unavailable: 503,
  audit_unavailable: 503,
};
/** Upstream two seconds and idle three, keys twice a second, record one second and a spill of ten: the longest way of all. */
const LONGEST_ANSWER_MS = 20_000;
const SUBJECTS = 40;

/** What came of the requests so far. */
export interface SoakTally {
  /** Answers by status and code. */
  readonly answers: Map<string, number>;
  /** Requests whose answer says that they were decided and recorded: what was answered, by id. */
  readonly decided: Map<string, string>;
  /** Ids of requests whose record could not be stored as far as the authorizer knows, or that nobody decided about. */
  readonly unsure: Set<string>;
  /** What must not be, by kind. */
  readonly findings: Map<string, number>;
  readonly latenciesMs: number[];
  /** Requests of a caller who hung up before the answer. */
  hungUp: number;
  /** Answers of the upstream that began and broke off. */
  brokenOff: number;
}

export function emptyTally(): SoakTally {
  return {
    answers: new Map(),
    decided: new Map(),
    unsure: new Set(),
    findings: new Map(),
    latenciesMs: [],
    hungUp: 0,
    brokenOff: 0,
  };
}

export function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

interface Shot {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly bodyBytes: number;
  readonly hangsUp: boolean;
}

/** Tokens are made ahead: signing them would be most of the load. */
async function tokensOf(parts: SoakParts): Promise<readonly string[]> {
  return Promise.all(Array.from({ length: SUBJECTS }, (_, i) => parts.token(`subject-${i}`)));
}

function nextShot(random: Random, tokens: readonly string[]): Shot {
  const valid = `Bearer ${choose(random, tokens)}`;
  const authorization =
    random() < 0.93 ? valid : choose(random, [null, 'Bearer a.b.c', `${valid}x`, `${valid.slice(0, -40)}`]);
  const [method, path] = choose(random, [
    ['GET', '/v1/jobs/1'],
    ['GET', '/v1/jobs/1'],
    ['GET', '/v1/jobs/2?q=1'],
    ['HEAD', '/v1/jobs/3'],
    ['GET', '/v1/metrics'],
    ['POST', '/v1/evaluate'],
    ['POST', '/v1/discover'],
    ['GET', '/v1/unknown'],
    ['PUT', '/v1/jobs/1'],
    ['GET', '/v1//jobs'],
  ] as const);
  const bodyBytes = method === 'POST' ? choose(random, [0, 20, 3000, 60_000, 200_000]) : 0;
  return { method, path, authorization, bodyBytes, hangsUp: random() < 0.02 };
}

/** Sends requests to `url` at `perSecond` until the signal says so, and judges every answer. */
export async function load(
  url: string,
  parts: SoakParts,
  options: {
    readonly perSecond: number;
    readonly random: Random;
    readonly signal: AbortSignal;
    readonly tally: SoakTally;
  },
): Promise<void> {
  const { perSecond, random, signal, tally } = options;
  const tokens = await tokensOf(parts);
  const agent = new Agent({ keepAlive: true });
  const open = new Set<Promise<void>>();
  const startedMs = performance.now();
  for (let sent = 0; !signal.aborted; sent++) {
    const dueMs = startedMs + (sent * 1000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await pass(waitMs);
    const one: Promise<void> = shoot(url, agent, nextShot(random, tokens), tally).finally(() => open.delete(one));
    open.add(one);
  }
  await Promise.all(open);
  agent.destroy();
}

function shoot(url: string, agent: Agent, shot: Shot, tally: SoakTally): Promise<void> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const headers: Record<string, string | number> = { 'content-length': shot.bodyBytes };
    if (shot.method !== 'POST') delete headers['content-length'];
    if (shot.authorization !== null) headers.authorization = shot.authorization;
    const request = ask(`${url}${shot.path}`, { method: shot.method, headers, agent });
    const late = setTimeout(() => {
      count(tally.findings, `no answer within ${LONGEST_ANSWER_MS} ms`);
      request.destroy();
    }, LONGEST_ANSWER_MS);
    const end = () => {
      clearTimeout(late);
      resolve();
    };
    request.on('response', (response) => {
      tally.latenciesMs.push(performance.now() - startedMs);
      void judge(shot, response, tally).then(end);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (shot.hangsUp) tally.hungUp += 1;
      // The upstream's answer broke before its fields had left.
      else if (error.code === 'ECONNRESET') tally.brokenOff += 1;
      else count(tally.findings, `a request without an answer: ${error.code ?? error.message}`);
      end();
    });
    if (shot.hangsUp) setTimeout(() => request.destroy(), 3);
    request.end('x'.repeat(shot.bodyBytes));
  });
}

async function judge(shot: Shot, response: IncomingMessage, tally: SoakTally): Promise<void> {
  const status = response.statusCode ?? 0;
  const id = response.headers['x-request-id'];
  const isProblem = response.headers['content-type'] === 'application/problem+json';
  let text = '';
  const whole = await new Promise<boolean>((resolve) => {
    response.on('data', (piece: Buffer) => {
      if (isProblem) text += piece.toString('utf8');
    });
    response.once('end', () => resolve(response.complete));
    response.once('error', () => resolve(false));
    response.once('close', () => resolve(response.complete));
  });
  if (typeof id !== 'string') {
    count(tally.findings, `status ${status} without a request id`);
    return;
  }
  if (!isProblem) {
    count(tally.answers, `${status}`);
    if (status !== 200) count(tally.findings, `status ${status} that is no problem`);
    if (!whole) tally.brokenOff += 1;
    tally.decided.set(id, `${status} ${shot.method} at ${Math.round(performance.now())}`);
    return;
  }
  const code = codeIn(text) ?? (shot.method === 'HEAD' ? 'of HEAD' : 'none');
  count(tally.answers, `${status} ${code}`);
  if (shot.method !== 'HEAD' && STATUS_OF[code] !== status) count(tally.findings, `status ${status} with code ${code}`);
  // A request that stalled before it could be read leaves a log line and a metric, and no record.
  const unsure =
    code === 'audit_unavailable' || code === 'request_timeout' || (shot.method === 'HEAD' && status === 503);
  if (unsure) tally.unsure.add(id);
  else tally.decided.set(id, `${status} ${code} ${shot.method} at ${Math.round(performance.now())}`);
}

function codeIn(text: string): string | null {
  try {
    const problem: unknown = JSON.parse(text);
    return typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : null;
  } catch {
    return null;
  }
}
