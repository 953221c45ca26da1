import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { startChild } from './child.ts';
import { listenOnLoopback } from './loopback-server.ts';

/** A function that runs as Lambda runs it: in a process of its own, fed by the Runtime API. */
export interface RunningFunction {
  /** One invocation; the function answers one at a time. Rejects with the function's own error message when it failed. */
  invoke(event: unknown): Promise<unknown>;
  /** Every line it has written to stdout and stderr so far. */
  readonly lines: readonly string[];
  /** From the start of the process until it first asked for an event, in milliseconds. */
  readonly initMs: number;
  stop(): Promise<void>;
}

export interface FunctionOptions {
  /** Path of the bundle, and the name of its export. */
  readonly bundle: string;
  readonly handler: string;
  /** Path of aws-lambda-ric, or null: then a loop of a few lines stands in for it. */
  readonly client: string | null;
  readonly env: Readonly<Record<string, string>>;
}

interface Invocation {
  readonly event: unknown;
  readonly settle: (outcome: { readonly answer: unknown } | { readonly error: Error }) => void;
}

const API = '/2018-06-01/runtime';
const DEADLINE_MS = 10_000;

/**
 * Starts a function under a Lambda Runtime API of our own. Throws with the function's own init error when it does not come
 * up, what it has printed as the cause. Leaves out: freezing between invocations, extensions, tracing, response streaming.
 */
export async function startFunction(options: FunctionOptions): Promise<RunningFunction> {
  const waiting: Invocation[] = [];
  const running = new Map<string, Invocation>();
  let take: ((invocation: Invocation) => void) | null = null;
  let asked = false;
  let initError: string | null = null;
  let count = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    if (path === `${API}/invocation/next`) {
      asked = true;
      const invocation = waiting.shift() ?? (await new Promise<Invocation>((resolve) => (take = resolve)));
      const id = `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`;
      running.set(id, invocation);
      response.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': id,
        'lambda-runtime-deadline-ms': String(Date.now() + DEADLINE_MS),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:123456789012:function:tgefd-authorizer',
      });
      response.end(JSON.stringify(invocation.event));
      return;
    }
    const body = JSON.parse((await bodyOf(request)) || 'null');
    const [, id, outcome] = /\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (path === `${API}/init/error`) initError = String(body?.errorMessage);
    else if (outcome === 'response') running.get(id ?? '')?.settle({ answer: body });
    else if (outcome === 'error') running.get(id ?? '')?.settle({ error: new Error(String(body?.errorMessage)) });
    running.delete(id ?? '');
    response.writeHead(202).end('{"status":"OK"}');
  };
  const server = createServer((request, response) => void serve(request, response));
  const listener = await listenOnLoopback(server);

  const startedMs = performance.now();
  const child = await startChild({
    command: process.execPath,
    args: options.client === null ? ['--input-type=module', '-e', LOOP] : [options.client, options.handler],
    cwd: dirname(options.bundle),
    env: {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${listener.port}`,
      AWS_LAMBDA_FUNCTION_NAME: 'tgefd-authorizer',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/tgefd-authorizer',
      AWS_LAMBDA_LOG_STREAM_NAME: 'test',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_REGION: 'eu-central-1',
      LAMBDA_TASK_ROOT: dirname(options.bundle),
      LOOP_BUNDLE: options.bundle,
      _HANDLER: options.handler,
      ...options.env,
    },
    ready: () => asked || initError !== null,
  }).catch(async (error: unknown) => {
    await listener.down();
    throw initError === null ? error : new Error(initError, { cause: String(error) });
  });
  const initMs = performance.now() - startedMs;
  const stop = async () => {
    await listener.down();
    await child.kill();
  };
  if (initError !== null) {
    await stop();
    throw new Error(initError, { cause: child.lines.join('\n') });
  }
  let ended: string | null = null;
  void child.exited.then((how) => {
    ended = how;
    for (const { settle } of [...waiting, ...running.values()])
      settle({ error: new Error(`the function ended: ${how}`) });
  });

  return {
    lines: child.lines,
    initMs,
    stop,
    invoke: async (event) => {
      if (ended !== null) throw new Error(`the function has ended: ${ended}`);
      const outcome = await new Promise<Parameters<Invocation['settle']>[0]>((settle) => {
        const invocation = { event, settle };
        if (take === null) waiting.push(invocation);
        else take(invocation);
        take = null;
      });
      if ('error' in outcome) throw outcome.error;
      return outcome.answer;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(request, 'end');
  return Buffer.concat(chunks).toString('utf8');
}

/** What aws-lambda-ric does of the Runtime API, where it is not built. */
const LOOP = `
const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '${API}';
const post = (path, body) => fetch(base + path, { method: 'POST', body: JSON.stringify(body ?? null) });
const told = (error) => ({ errorMessage: error.message, errorType: error.name });
let handler;
try {
  handler = (await import(process.env.LOOP_BUNDLE))[process.env._HANDLER.split('.').at(-1)];
} catch (error) {
  await post('/init/error', told(error));
  process.exit(1);
}
for (;;) {
  const next = await fetch(base + '/invocation/next');
  const id = next.headers.get('lambda-runtime-aws-request-id');
  try {
    await post('/invocation/' + id + '/response', await handler(await next.json(), { awsRequestId: id }));
  } catch (error) {
    await post('/invocation/' + id + '/error', told(error));
  }
}
`;
