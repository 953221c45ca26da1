import { createTcpClient } from '../../lib/platform/node/redis-tcp/client.ts';
import type { Topology } from '../../lib/platform/node/redis-tcp/connections.ts';
import type { RedisClient } from '../../lib/redis/client.ts';
import { CALL_MS, type FuzzTarget, type Place } from './fuzz-targets.ts';
import { type Dialect, type Nonsense, pour, send } from './fuzzing-peer.ts';
import { choose } from './random.ts';

/** Takes one command of RESP from the front of `text`: its words as `head`, and how many bytes it has. */
function takeCommand(text: string) {
  const first = /^\*(\d+)\r\n/.exec(text);
  if (first === null) return null;
  const words: string[] = [];
  let at = first[0].length;
  for (let word = 0; word < Number(first[1]); word++) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at, at + 16));
    if (length === null) return null;
    const from = at + length[0].length;
    at = from + Number(length[1]) + 2;
    if (text.length < at) return null;
    words.push(text.slice(from, at - 2));
  }
  return { head: words.join(' '), body: '', bytes: at };
}

/** Sends one of these as it is. */
function oneOf(...answers: readonly string[]): Nonsense {
  return (turn) => send(turn, choose(turn.random, answers));
}

const NONSENSE: Readonly<Record<string, Nonsense>> = {
  'a type that is none': oneOf('?PONG\r\n', 'HPONG\r\n', '\x00PONG\r\n', '\xffPONG\r\n', ' +PONG\r\n'),
  'an HTTP answer': oneOf('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  'a bulk of a length that is none': (turn) =>
    send(turn, `$${choose(turn.random, ['-2', '-', '+4', '1e9', '0x4', '', '9'.repeat(30)])}\r\nPONG\r\n`),
  'a bulk that breaks off': (turn) => send(turn, '$100\r\nPO', 'end'),
  'a bulk that stops': oneOf('$100\r\nPO'),
  'a bulk that ends in other bytes': oneOf('$4\r\nPONG++', '$4\r\nPONG\r+', '$2\r\nPONG\r\n'),
  'a bulk without end': (turn) => {
    send(turn, choose(turn.random, ['$536870912\r\n', '$67108864\r\n']));
    pour(turn, 'a'.repeat(0x1000));
  },
  'an array of a length that is none': (turn) =>
    send(turn, `*${choose(turn.random, ['-2', '', 'x', '1048577', '4294967296', '9'.repeat(30)])}\r\n`),
  'an array without end': (turn) => {
    send(turn, choose(turn.random, ['*2000000000\r\n', '*1048575\r\n']));
    pour(turn, ':1\r\n'.repeat(64));
  },
  'arrays within arrays without end': (turn) => pour(turn, '*1\r\n'.repeat(64)),
  'a line without end': (turn) => {
    send(turn, '+');
    pour(turn, 'a'.repeat(0x1000));
  },
  'a line that ends in half': oneOf('+PONG\r+', '+PO\nNG\r\n', '+PONG\n', '+PONG\r\r\n'),
  'another value': oneOf('$-1\r\n', '*-1\r\n', '*0\r\n', ':5\r\n', '+\r\n', '*2\r\n$-1\r\n*-1\r\n'),
  'a number that is none': (turn) => send(turn, `:${choose(turn.random, ['x', '', '-', '1.5', '9'.repeat(40)])}\r\n`),
  'an error': oneOf(
    '-ERR no\r\n',
    '-LOADING\r\n',
    '-READONLY\r\n',
    '-NOAUTH\r\n',
    '-OOM\r\n',
    '-MOVED 1 x:1\r\n',
    '-\r\n',
  ),
  'values of RESP3': oneOf(
    '_\r\n',
    '#t\r\n',
    ',inf\r\n',
    '%1\r\n+a\r\n+b\r\n',
    '~1\r\n_\r\n',
    '!3\r\nERR\r\n',
    '(1\r\n',
  ),
  'a push that nobody asked for': oneOf(
    '>3\r\n+message\r\n+a\r\n+b\r\n',
    '>3\r\n+subscribe\r\n+a\r\n:1\r\n',
    '>1\r\n+subscribe\r\n',
    '>1\r\n+unsubscribe\r\n',
    '>2\r\n+sunsubscribe\r\n+a\r\n',
    '>1\r\n_\r\n',
    '>0\r\n',
  ),
  'half a line, then the end': (turn) => send(turn, '+PO', 'end'),
  'half a line, then silence': oneOf('+PO'),
  'half a line, then a reset': (turn) => send(turn, '+PO', 'reset'),
  'closed at once': ({ socket }) => void socket.end(),
  'reset at once': ({ socket }) => void socket.resetAndDestroy(),
  silence: () => {},
  'a good answer, then a reset': (turn) => {
    send(turn, turn.body);
    turn.later(turn.random() * 5, () => turn.socket.resetAndDestroy());
  },
  'two answers': (turn) => send(turn, turn.body + turn.body),
  'a reply that nobody asked for': (turn) => {
    send(turn, turn.body);
    const unasked = choose(turn.random, ['$-1\r\n', '*1\r\n$-1\r\n', '*-1\r\n', '-ERR no\r\n', '+OK\r\n', '$', '\n']);
    turn.later(1 + turn.random() * 20, () => send(turn, unasked));
  },
  'slow drip': (turn) => {
    const drip = (at: number) => {
      turn.socket.write(turn.body.slice(at, at + 1));
      if (at < turn.body.length) turn.later(20, () => drip(at + 1));
    };
    drip(0);
  },
};

const REDIRECTS: Nonsense = oneOf(
  '-MOVED\r\n',
  '-MOVED 1\r\n',
  '-MOVED 1 x\r\n',
  '-MOVED __proto__ a:1\r\n',
  '-MOVED 99999 a:1\r\n',
  '-MOVED 1 127.0.0.1:1\r\n',
  '-ASK\r\n',
  '-ASK 1\r\n',
  '-ASK 1 x\r\n',
  '-ASK 1 127.0.0.1:1\r\n',
  '-TRYAGAIN\r\n',
  '-CLUSTERDOWN\r\n',
);
const TABLES: Nonsense = oneOf(
  '*1\r\n$-1\r\n',
  '*1\r\n:5\r\n',
  '*1\r\n*2\r\n:0\r\n:99999999999\r\n',
  '*1\r\n*3\r\n:0\r\n:5\r\n:7\r\n',
  '*1\r\n*3\r\n:0\r\n:5\r\n$-1\r\n',
  '*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\nx\r\n$-1\r\n',
  '*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n:7\r\n:7\r\n',
  '*1\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$1\r\nx\r\n:1\r\n',
  '+OK\r\n',
);

/** Replies from their first byte to their last, whatever they say. */
const IS_WHOLE = new Set([
  'another value',
  'an error',
  'a good answer, then a reset',
  'a redirect',
  'a table of slots that is none',
]);
const MAY_BE_GOOD = new Set([
  'a good answer, then a reset',
  'two answers',
  'a reply that nobody asked for',
  'slow drip',
]);

function dialectOf(nonsense: Readonly<Record<string, Nonsense>>, spares: NonNullable<Dialect['spares']>): Dialect {
  return {
    take: takeCommand,
    write: ({ body }) => body,
    nonsense,
    ends: new Set(Object.keys(nonsense).filter((kind) => !IS_WHOLE.has(kind))),
    spares,
  };
}

const neverGoodOf = ({ nonsense }: Dialect) => Object.keys(nonsense).filter((kind) => !MAY_BE_GOOD.has(kind));

// Most connections come as far as their first command.
const RESP = dialectOf(NONSENSE, (head, random) => head.startsWith('INFO') && random() < 0.8);
const CLUSTER_RESP = dialectOf(
  { ...NONSENSE, 'a redirect': REDIRECTS, 'a table of slots that is none': TABLES },
  (head, random) => (head === 'INFO' || /^cluster/i.test(head)) && random() < 0.8,
);

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const INFO = bulk('redis_version:7.0.0\r\nrole:master\r\nloading:0\r\n');

function answerOf(head: string): string {
  if (head.startsWith('INFO')) return INFO;
  return head === 'PING' ? '+PONG\r\n' : '+OK\r\n';
}

/** Short, so that many answers fit into a minute. */
const TIMES = { connectMs: 1_000, silenceMs: 150, replyMs: 150, pauseMs: 50 };
const CLIENTS = 48;
/** A cluster needs several connections for one answer: where many make them at once on a busy machine, none comes to an end in time. */
const CLUSTER = { clients: 16, times: { ...TIMES, silenceMs: 400, pauseMs: 100 } };

function clientOf({ port, secure, egress }: Place, topology: Partial<Topology>, times = TIMES): RedisClient {
  const url = new URL(`${secure ? 'rediss' : 'redis'}://127.0.0.1:${port}`);
  const whole = { url, nodes: [], cluster: false, sentinel: null, ...topology };
  return createTcpClient(whole, null, () => null, { egress, used: () => {}, times });
}

const ping = (client: RedisClient) => () =>
  client.command(['PING'], AbortSignal.timeout(CALL_MS)).then(
    (value) => (value === 'PONG' ? 'good' : 'another value'),
    (error: unknown) => `failed: ${error instanceof Error ? error.message : 'of no kind'}`,
  );

/** Peers that speak the protocol of Redis. */
export const tcpFuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'Redis TCP',
    dialect: RESP,
    neverGood: neverGoodOf(RESP),
    clients: CLIENTS,
    honest: ({ head }) => ({ body: answerOf(head) }),
    connect: (place) => ping(clientOf(place, {})),
  },
  {
    name: 'Sentinel with its primary',
    dialect: RESP,
    neverGood: neverGoodOf(RESP),
    clients: CLIENTS,
    honest: ({ head, port }) => {
      const place = `*2\r\n${bulk('127.0.0.1')}${bulk(`${port}`)}`;
      return { body: head.startsWith('SENTINEL') ? place : answerOf(head) };
    },
    connect: (place) =>
      ping(clientOf(place, { sentinel: { name: 'main', places: [{ host: '127.0.0.1', port: place.port }] } })),
  },
  {
    name: 'Redis Cluster',
    dialect: CLUSTER_RESP,
    neverGood: neverGoodOf(CLUSTER_RESP),
    clients: CLUSTER.clients,
    honest: ({ head, port }) => {
      const slots = `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n${bulk('127.0.0.1')}:${port}\r\n`;
      if (/^cluster slots$/i.test(head)) return { body: slots };
      return { body: /^cluster info$/i.test(head) ? bulk('cluster_state:ok') : answerOf(head) };
    },
    connect: (place) => ping(clientOf(place, { cluster: true }, CLUSTER.times)),
  },
];
