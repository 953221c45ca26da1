import { createServer, type IncomingMessage } from 'node:http';
import { listenOnLoopback } from './loopback-server.ts';

/** One request as a stub of a service saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: unknown;
}

/** Cloudflare's and Upstash's APIs, as far as the setup command calls them, with state of their own. */
export interface CloudApis {
  /** `fetch` whose requests to the two services end here; any other host is refused. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly seen: Seen[];
  readonly buckets: Map<string, { lifecycle: unknown[]; lock: unknown[]; isPublic: boolean }>;
  readonly databases: Record<string, unknown>[];
  /** Secrets by Worker. A Worker that is not here was never deployed. */
  readonly workers: Map<string, Map<string, string>>;
  close(): Promise<void>;
}

export const API_TOKEN = 'cf-token-of-the-stub';
const HOSTS: Readonly<Record<string, string>> = {
  'https://api.cloudflare.com': 'cloudflare',
  'https://api.upstash.com': 'upstash',
};

/** Starts the stub on loopback. It refuses a wrong credential as the services do. */
export async function startCloudApis(): Promise<CloudApis> {
  const apis = {
    seen: [] as Seen[],
    buckets: new Map(),
    databases: [] as Record<string, unknown>[],
    workers: new Map(),
  };
  const server = createServer(async (request, response) => {
    const seen = await read(request);
    apis.seen.push(seen);
    const [, service = '', ...rest] = seen.path.split('/');
    const answer = service === 'cloudflare' ? onCloudflare(apis, seen, rest) : onUpstash(apis, seen, rest);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  const { port, down } = await listenOnLoopback(server);
  const fetchHere = async (url: string, init: RequestInit) => {
    const { origin, pathname } = new URL(url);
    const service = HOSTS[origin];
    if (service === undefined) throw new TypeError(`${origin} is not a service of the stub`);
    return fetch(`http://127.0.0.1:${port}/${service}${pathname}`, init);
  };
  return { ...apis, fetch: fetchHere, close: down };
}

async function read(request: IncomingMessage): Promise<Seen> {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { method = '', url = '', headers } = request;
  return { method, path: url, authorization: headers.authorization ?? '', body: text === '' ? null : JSON.parse(text) };
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}
type State = Pick<CloudApis, 'buckets' | 'databases' | 'workers'>;
const ok = (result: unknown): Reply => ({ status: 200, body: { success: true, errors: [], result } });
const failed = (status: number, message: string): Reply => ({
  status,
  body: { success: false, errors: [{ code: 10000, message }], result: null },
});

function onCloudflare(state: State, { method, authorization, body }: Seen, path: readonly string[]): Reply {
  if (authorization !== `Bearer ${API_TOKEN}`) return failed(403, 'Authentication error');
  const [area = '', kind = '', name = '', ...rest] = path.slice(4);
  const given = body as Record<string, unknown> | null;
  if (area === 'workers') {
    const secrets = state.workers.get(name);
    if (secrets === undefined) return failed(404, 'This Worker does not exist on your account.');
    if (method === 'PUT') secrets.set(String(given?.name), String(given?.text));
    return ok([...secrets.keys()].map((each) => ({ name: each, type: 'secret_text' })));
  }
  if (area !== 'r2' || kind !== 'buckets') return failed(404, 'No route');
  if (method === 'POST' && name === '') {
    const made = String(given?.name);
    if (state.buckets.has(made)) return failed(409, 'The bucket you tried to create already exists');
    state.buckets.set(made, { lifecycle: [{ id: 'Default Multipart Abort Rule' }], lock: [], isPublic: false });
    return ok({ name: made });
  }
  const bucket = state.buckets.get(name);
  if (bucket === undefined) return failed(404, 'The specified bucket does not exist.');
  const [what] = rest;
  if (what === undefined) return ok({ name });
  if (what === 'domains') return ok({ enabled: bucket.isPublic });
  if (what !== 'lock' && what !== 'lifecycle') return failed(404, 'No route');
  if (method === 'PUT') bucket[what] = given?.rules as unknown[];
  return ok({ rules: bucket[what] });
}

function onUpstash({ databases }: State, { method, authorization, body }: Seen, path: readonly string[]): Reply {
  const [, , action = '', id = ''] = path;
  const expected = `Basic ${Buffer.from('a@example.com:upstash-key').toString('base64')}`;
  if (authorization !== expected) return { status: 401, body: 'Unauthorized' };
  if (action === 'databases') return { status: 200, body: databases.map(({ rest_token: _, ...shown }) => shown) };
  if (action === 'database' && method === 'POST') {
    const count = databases.length + 1;
    const made = { database_id: `id-${count}`, endpoint: `db-${count}.upstash.io`, rest_token: `token-${count}` };
    databases.push({ ...(body as object), ...made });
    return { status: 200, body: databases.at(-1) };
  }
  const found = databases.find((one) => one.database_id === id);
  if (found === undefined) return { status: 404, body: 'database not found' };
  if (action === 'disable-eviction') found.eviction = false;
  if (action === 'enable-tls') found.tls = true;
  return { status: 200, body: action === 'database' ? found : 'OK' };
}
