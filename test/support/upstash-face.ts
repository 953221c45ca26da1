import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from './loopback-server.ts';

/** What can go wrong between a client and Redis. */
export type RestFault =
  /** Connections are refused and open ones cut. */
  | { readonly kind: 'refuse' }
  /** Requests are taken and never answered; their commands are not applied. */
  | { readonly kind: 'hang' }
  /** The commands are applied at once and answered after `delayMs`. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The commands are applied and the connection is cut in the middle of the answer. */
  | { readonly kind: 'reset' }
  /** An HTTP error with a page instead of JSON; the commands are not applied. */
  | { readonly kind: 'status'; readonly status: number }
  /** Redis refuses every command (`OOM`, `READONLY`, `max daily request limit exceeded`, …). */
  | { readonly kind: 'error'; readonly message: string };

export interface RestCounts {
  requests: number;
  commands: number;
}

export interface UpstashFace {
  readonly url: string;
  readonly token: string;
  readonly counts: RestCounts;
  resetCounts(): void;
  setFault(fault: RestFault | null): Promise<void>;
  /** The only token that counts from now on, as after `Reset Credentials`; or that one and others besides. */
  setToken(token: string, ...besides: readonly string[]): void;
  stop(): Promise<void>;
}

type Send = (command: string, args: (string | number)[]) => Promise<unknown>;
type Answer = { readonly result: unknown } | { readonly error: string };

const TOKEN = 'loopback-redis-token';
/** Upstash's own Redis knows this flag; a stock one refuses the script. */
const UPSTASH_FLAG = /^#!lua flags=allow-key-locking[^\n]*/;

/**
 * The Upstash REST API (`POST /`, `/pipeline`, `/multi-exec`; bearer token; `Upstash-Encoding: base64`) over a plain
 * Redis connection. Scripts written for Upstash run on a stock Redis: the flag it does not know is taken out, and the
 * digest by which a client calls such a script is mapped.
 * Does not serve commands in the path, reads with GET, or subscriptions.
 */
export async function startUpstashFace(redis: Send): Promise<UpstashFace> {
  const send = withUpstashScripts(redis);
  const counts: RestCounts = { requests: 0, commands: 0 };
  let fault: RestFault | null = null;
  let accepted: readonly [string, ...string[]] = [TOKEN];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    counts.requests += 1;
    const active = fault;
    const body = await readJson(request);
    if (active?.kind === 'hang') return;
    if (active?.kind === 'status') {
      response.writeHead(active.status, { 'content-type': 'text/html' }).end('<html>no Redis here</html>');
      return;
    }
    if (!accepted.some((token) => request.headers.authorization === `Bearer ${token}`)) {
      return json(response, 401, { error: 'WRONGPASS invalid or missing auth token' });
    }
    const encode = request.headers['upstash-encoding'] === 'base64' ? encodeBase64 : encodeText;
    const commands = commandsOf(request.url ?? '', body);
    if (commands === null) return json(response, 400, { error: 'ERR failed to parse the command' });
    counts.commands += commands.length;
    const path = request.url ?? '';
    const answer = await apply(
      path,
      commands,
      active?.kind === 'error' ? () => Promise.reject(new Error(active.message)) : send,
    );
    const whole = Array.isArray(answer) ? answer.map((one) => encodeAnswer(one, encode)) : encodeAnswer(answer, encode);
    if (active?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, active.delayMs));
    if (active?.kind === 'reset') return cut(response, JSON.stringify(whole));
    json(response, 'error' in whole ? 400 : 200, whole);
  };
  const server = createServer((request, response) => {
    // A client that gives up in the middle of its request is its own affair.
    answer(request, response).catch(() => response.destroy());
  });
  const loopback = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${loopback.port}`,
    get token() {
      return accepted[0];
    },
    counts,
    resetCounts() {
      counts.requests = 0;
      counts.commands = 0;
    },
    async setFault(next) {
      fault = next;
      await (next?.kind === 'refuse' ? loopback.down() : loopback.up());
    },
    setToken(...tokens) {
      accepted = tokens;
    },
    stop: loopback.down,
  };
}

/** The commands of a request, or null where it is none. */
function commandsOf(path: string, body: unknown): string[][] | null {
  const commands = path === '/' ? [body] : path === '/pipeline' || path === '/multi-exec' ? body : null;
  if (!Array.isArray(commands) || commands.length === 0) return null;
  const valid = commands.every(
    (command) =>
      Array.isArray(command) &&
      command.length > 0 &&
      command.every((part) => ['string', 'number', 'boolean'].includes(typeof part)),
  );
  return valid ? commands.map((command: unknown[]) => command.map(String)) : null;
}

/** One answer per command, or a single one for `POST /` and for a transaction that was aborted as a whole. */
async function apply(path: string, commands: readonly string[][], send: Send): Promise<Answer | Answer[]> {
  const call = ([name = '', ...args]: readonly string[] = []) => settle(send(name, args));
  if (path === '/') return await call(commands[0]);
  if (path === '/pipeline') return await Promise.all(commands.map((command) => call(command)));
  // Written in one tick on one connection: nothing of another request can come between.
  const [, , executed] = await Promise.all([
    call(['MULTI']),
    Promise.all(commands.map((command) => call(command))),
    call(['EXEC']),
  ]);
  if ('error' in executed) return executed;
  const results = Array.isArray(executed.result) ? executed.result : [];
  return results.map((result) => (result instanceof Error ? { error: result.message } : { result }));
}

function settle(reply: Promise<unknown>): Promise<Answer> {
  return reply.then(
    (result) => ({ result }),
    (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
  );
}

function withUpstashScripts(send: Send): Send {
  const digests = new Map<string, string>();
  const digest = (script: string) => createHash('sha1').update(script).digest('hex');
  const stock = (script: string) => {
    const stripped = script.replace(UPSTASH_FLAG, '');
    if (stripped !== script) digests.set(digest(script), digest(stripped));
    return stripped;
  };
  return async (command, args) => {
    const [first, second, ...rest] = args;
    switch (command.toUpperCase()) {
      case 'EVAL':
      case 'EVAL_RO':
        return await send(command, [stock(`${first}`), ...args.slice(1)]);
      case 'EVALSHA':
      case 'EVALSHA_RO':
        return await send(command, [digests.get(`${first}`) ?? `${first}`, ...args.slice(1)]);
      case 'SCRIPT': {
        if (`${first}`.toUpperCase() !== 'LOAD') return await send(command, args);
        const script = `${second}`;
        await send(command, ['LOAD', stock(script), ...rest]);
        return Buffer.from(digest(script));
      }
      default:
        return await send(command, args);
    }
  };
}

function encodeAnswer(answer: Answer, encode: (reply: unknown) => unknown): Answer {
  return 'result' in answer ? { result: encode(answer.result) } : answer;
}

function encodeBase64(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(encodeBase64);
  if (!Buffer.isBuffer(reply)) return reply;
  const text = reply.toString('latin1');
  return text === 'OK' ? text : reply.toString('base64');
}

function encodeText(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(encodeText);
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : reply;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}

function cut(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.write(body.slice(0, Math.ceil(body.length / 2)), () => response.socket?.resetAndDestroy());
}
