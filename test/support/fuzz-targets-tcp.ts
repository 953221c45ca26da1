import { CALL_MS, type FuzzTarget } from './fuzz-targets.ts';
import { type Dialect, type Nonsense, pour, send } from './fuzzing-peer.ts';
import { choose } from './random.ts';
import { tcpClient } from './redis-tcp.ts';

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

const NONSENSE: Readonly<Record<string, Nonsense>> = {
  'a type that is none': (turn) => send(turn, `${choose(turn.random, ['?', 'H', '\x00', '\xff', ' '])}PONG\r\n`),
  'an HTTP answer': (turn) => send(turn, 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  'a bulk of a length that is none': (turn) =>
    send(turn, `$${choose(turn.random, ['-2', '1e9', '0x4', '', '9'.repeat(30)])}\r\nPONG\r\n`),
  'a bulk that breaks off': (turn) => send(turn, '$100\r\nPO', 'end'),
  'a bulk that stops': (turn) => send(turn, '$100\r\nPO'),
  'a bulk without end': (turn) => {
    send(turn, '$536870912\r\n');
    pour(turn, 'a'.repeat(0x1000));
  },
  'an array without end': (turn) => {
    send(turn, '*2000000000\r\n');
    pour(turn, ':1\r\n'.repeat(64));
  },
  'arrays within arrays without end': (turn) => pour(turn, '*1\r\n'.repeat(64)),
  'a line without end': (turn) => {
    send(turn, '+');
    pour(turn, 'a'.repeat(0x1000));
  },
  'another value': (turn) => send(turn, choose(turn.random, ['$-1\r\n', '*-1\r\n', '*0\r\n', ':5\r\n', '+\r\n'])),
  'a number that is none': (turn) => send(turn, `:${choose(turn.random, ['x', '', '1.5', '9'.repeat(40)])}\r\n`),
  'an error': (turn) =>
    send(turn, `-${choose(turn.random, ['ERR no', 'LOADING', 'READONLY', 'NOAUTH', 'OOM', 'MOVED 1 x:1', ''])}\r\n`),
  'values of RESP3': (turn) => send(turn, choose(turn.random, ['_\r\n', '#t\r\n', ',inf\r\n', '%1\r\n+a\r\n+b\r\n'])),
  'a push that nobody asked for': (turn) => send(turn, '>3\r\n+message\r\n+a\r\n+b\r\n'),
  'half a line, then the end': (turn) => send(turn, '+PO', 'end'),
  'half a line, then silence': (turn) => send(turn, '+PO'),
  'half a line, then a reset': (turn) => send(turn, '+PO', 'reset'),
  'closed at once': ({ socket }) => void socket.end(),
  'reset at once': ({ socket }) => void socket.resetAndDestroy(),
  silence: () => {},
  'a good answer, then a reset': (turn) => {
    send(turn, turn.body);
    turn.later(turn.random() * 5, () => turn.socket.resetAndDestroy());
  },
  'two answers': (turn) => send(turn, turn.body + turn.body),
  'slow drip': (turn) => {
    const drip = (at: number) => {
      turn.socket.write(turn.body.slice(at, at + 1));
      if (at < turn.body.length) turn.later(20, () => drip(at + 1));
    };
    drip(0);
  },
};
/** Replies from their first byte to their last, whatever they say. */
const IS_WHOLE = new Set(['another value', 'an error', 'values of RESP3', 'a good answer, then a reset']);
const MAY_BE_GOOD = new Set(['a good answer, then a reset', 'two answers', 'slow drip']);
const neverGood = Object.keys(NONSENSE).filter((kind) => !MAY_BE_GOOD.has(kind));

const RESP: Dialect = {
  take: takeCommand,
  write: ({ body }) => body,
  nonsense: NONSENSE,
  ends: new Set(Object.keys(NONSENSE).filter((kind) => !IS_WHOLE.has(kind))),
  // Most connections come as far as their first command.
  spares: (head, random) => head.startsWith('INFO') && random() < 0.8,
};

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const INFO = bulk('redis_version:7.0.0\r\nrole:master\r\nloading:0\r\n');

function answerOf(head: string): string {
  if (head.startsWith('INFO')) return INFO;
  return head === 'PING' ? '+PONG\r\n' : '+OK\r\n';
}

/** A silent connection is left after two seconds, and the next is tried two later at the latest. */
const RECOVERY_MS = 10_000;

const ping = (client: ReturnType<typeof tcpClient>) => () =>
  client.command(['PING'], AbortSignal.timeout(CALL_MS)).then(
    (value) => (value === 'PONG' ? 'good' : 'another value'),
    (error: unknown) => `failed: ${error instanceof Error ? error.message : 'of no kind'}`,
  );

/** Calls of many clients, one after the other: a silent connection costs its client two seconds. */
function inTurn(make: () => () => Promise<string>): () => Promise<string> {
  const calls = Array.from({ length: CLIENTS }, make);
  let turn = 0;
  return async () => (await calls[turn++ % CLIENTS]?.()) ?? 'no call';
}
const CLIENTS = 16;

/** Peers that speak the protocol of Redis. */
export const tcpFuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'Redis TCP',
    dialect: RESP,
    neverGood,
    recoveryMs: RECOVERY_MS,
    honest: ({ head }) => ({ body: answerOf(head) }),
    connect: (port) => inTurn(() => ping(tcpClient(port))),
  },
  {
    name: 'Sentinel with its primary',
    dialect: RESP,
    neverGood,
    recoveryMs: RECOVERY_MS,
    honest: ({ head, port }) => {
      const place = `*2\r\n${bulk('127.0.0.1')}${bulk(`${port}`)}`;
      return { body: head.startsWith('SENTINEL') ? place : answerOf(head) };
    },
    connect: (port) =>
      inTurn(() => ping(tcpClient(port, { sentinel: { name: 'main', places: [{ host: '127.0.0.1', port }] } }))),
  },
];
