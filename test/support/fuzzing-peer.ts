import { createServer, type Socket } from 'node:net';
import { listenOnLoopback } from './loopback-server.ts';
import { choose, type Random, seededRandom } from './random.ts';

/** What the peer answers when it behaves. */
export type Honest = (request: {
  readonly head: string;
  readonly body: string;
  readonly port: number;
  readonly origin: string;
}) => {
  readonly status?: number;
  readonly fields?: readonly string[];
  readonly body: string;
};

export interface FuzzingPeer {
  readonly port: number;
  readonly url: string;
  /** Answers so far, by kind. */
  readonly counts: Map<string, number>;
  /** Whether answers are nonsense; else they are honest. */
  behave(honestly: boolean): void;
  /** Gives only this kind of nonsense; null: any. */
  only(kind: string | null): void;
  /** Connections open now. */
  sockets(): number;
  stop(): Promise<void>;
}

/** How requests and answers of one protocol look. */
export interface Dialect {
  /** The first whole request of what has come, or null while there is none. */
  take(text: string): { readonly head: string; readonly body: string; readonly bytes: number } | null;
  /** An honest answer on the wire. */
  write(answer: ReturnType<Honest>): string;
  readonly nonsense: Readonly<Record<string, Nonsense>>;
  /** Whether this request is answered honestly all the same. */
  spares?(head: string, random: Random): boolean;
  /** Kinds after which a connection answers nothing more. Where answers come in the order of requests, none can be left out. */
  readonly ends?: ReadonlySet<string>;
}

export interface Turn {
  readonly socket: Socket;
  readonly random: Random;
  /** What an honest peer would send as its body. */
  readonly body: string;
  /** Later work of this connection: not done once it has closed. */
  later(ms: number, act: () => void): void;
}

export type Nonsense = (turn: Turn) => void;

function head(status: string, fields: readonly string[]): string {
  return [`HTTP/1.1 ${status}`, ...fields, '', ''].join('\r\n');
}

export function send({ socket }: Turn, text: string, then?: 'end' | 'reset'): void {
  socket.write(Buffer.from(text, 'latin1'), () => {
    if (then === 'end') socket.end();
    if (then === 'reset') socket.resetAndDestroy();
  });
}

function withLength(body: string): string {
  return `Content-Length: ${Buffer.byteLength(body, 'latin1')}`;
}

function control(random: Random): string {
  return choose(random, ['\x00', '\x01', '\x07', '\x0b', '\x1b', '\x7f', '\r', '\n']);
}

/** Sends a piece again and again until the connection ends. */
export function pour({ socket }: Pick<Turn, 'socket'>, piece: string | Buffer): void {
  const one = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
  const many = Buffer.concat(Array.from({ length: Math.ceil(0x8000 / one.length) }, () => one));
  const more = () => {
    while (!socket.destroyed && socket.write(many));
    if (!socket.destroyed) socket.once('drain', more);
  };
  more();
}

/** Every kind of answer that is none, or that is one only just. */
export const NONSENSE: Readonly<Record<string, Nonsense>> = {
  'any status': (turn) =>
    send(
      turn,
      `${head(`${String(Math.floor(turn.random() * 1000)).padStart(3, '0')} X`, [withLength(turn.body)])}${turn.body}`,
    ),
  'status 000': (turn) => send(turn, `${head('000 Zero', [withLength(turn.body)])}${turn.body}`),
  'status outside 200 to 599': (turn) =>
    send(turn, `${head(`${choose(turn.random, [99, 199, 600, 777, 999])} X`, [withLength(turn.body)])}${turn.body}`),
  'status that is no number': (turn) =>
    send(turn, head(choose(turn.random, ['2x0 OK', '-200 OK', '20 OK', '2000 OK', '', 'OK']), ['Content-Length: 0'])),
  'another protocol': (turn) =>
    send(
      turn,
      choose(turn.random, ['SSH-2.0-OpenSSH_9.9\r\n', '+PONG\r\n', '\x16\x03\x01\x02\x00', 'HTTP/9.9 200 OK\r\n\r\n']),
      'end',
    ),
  'control byte in the reason phrase': (turn) =>
    send(turn, `${head(`200 O${control(turn.random)}K`, [withLength(turn.body)])}${turn.body}`),
  'control byte in a field value': (turn) =>
    send(turn, `${head('200 OK', [`X-A: a${control(turn.random)}b`, withLength(turn.body)])}${turn.body}`),
  'control byte in a field name': (turn) =>
    send(turn, `${head('200 OK', [`X${control(turn.random)}A: a`, withLength(turn.body)])}${turn.body}`),
  'obs-text in a field': (turn) => send(turn, `${head('200 OK', ['X-A: caf\xe9', withLength(turn.body)])}${turn.body}`),
  'obs-text in the reason phrase': (turn) => send(turn, `${head('200 caf\xe9', [withLength(turn.body)])}${turn.body}`),
  'a 101 that nobody asked for': (turn) =>
    send(turn, head('101 Switching Protocols', ['Upgrade: websocket', 'Connection: Upgrade'])),
  'a 101 without fields': (turn) => send(turn, head('101 Switching Protocols', [])),
  'informational answers without end': (turn) => pour(turn, head('103 Early Hints', ['Link: </a>'])),
  'an informational answer, then silence': (turn) => send(turn, head('102 Processing', [])),
  'half a status line, then the end': (turn) => send(turn, 'HTTP/1.1 2', 'end'),
  'half a status line, then silence': (turn) => send(turn, 'HTTP/1.1 20'),
  'half a field, then a reset': (turn) => send(turn, 'HTTP/1.1 200 OK\r\nX-A: a', 'reset'),
  'fields without end': (turn) => {
    send(turn, 'HTTP/1.1 200 OK\r\n');
    pour(turn, `X-A: ${'a'.repeat(1000)}\r\n`);
  },
  'one field without end': (turn) => {
    send(turn, 'HTTP/1.1 200 OK\r\nX-A: ');
    pour(turn, 'a'.repeat(1000));
  },
  'a length that is too long': (turn) =>
    send(turn, `${head('200 OK', [`Content-Length: ${turn.body.length + 100}`])}${turn.body}`, 'end'),
  'a length that is too short': (turn) =>
    send(turn, `${head('200 OK', [`Content-Length: ${Math.floor(turn.body.length / 2)}`])}${turn.body}`),
  'two lengths': (turn) => send(turn, `${head('200 OK', [withLength(turn.body), 'Content-Length: 1'])}${turn.body}`),
  'a length and chunks': (turn) =>
    send(turn, `${head('200 OK', [withLength(turn.body), 'Transfer-Encoding: chunked'])}0\r\n\r\n`),
  'a length that is none': (turn) =>
    send(turn, head('200 OK', [`Content-Length: ${choose(turn.random, ['-1', '0x10', '1e3', '9'.repeat(30)])}`])),
  'a chunk that is none': (turn) => send(turn, `${head('200 OK', ['Transfer-Encoding: chunked'])}zz\r\nabc\r\n`),
  'a chunk extension without end': (turn) => {
    send(turn, `${head('200 OK', ['Transfer-Encoding: chunked'])}1;a=`);
    pour(turn, 'a'.repeat(1000));
  },
  'chunks that break off': (turn) => send(turn, `${head('200 OK', ['Transfer-Encoding: chunked'])}10\r\nabc`, 'end'),
  'a body without end': (turn) => {
    send(turn, head('200 OK', ['Transfer-Encoding: chunked']));
    pour(turn, `1000\r\n${'a'.repeat(0x1000)}\r\n`);
  },
  'a 204 with a body': (turn) => send(turn, `${head('204 No Content', [withLength(turn.body)])}${turn.body}`),
  'a 205 with a body without end': (turn) => {
    send(turn, head('205 Reset Content', ['Transfer-Encoding: chunked']));
    pour(turn, `1000\r\n${'a'.repeat(0x1000)}\r\n`);
  },
  'a 304 that nobody asked for': (turn) => send(turn, head('304 Not Modified', [])),
  'a redirect': (turn) =>
    send(
      turn,
      head('302 Found', [
        `Location: ${choose(turn.random, ['/elsewhere', 'http://127.0.0.1:1/', 'http://[', ''])}`,
        'Content-Length: 0',
      ]),
    ),
  'closed at once': ({ socket }) => void socket.end(),
  'reset at once': ({ socket }) => void socket.resetAndDestroy(),
  'reset in the body': (turn) =>
    send(turn, `${head('200 OK', [`Content-Length: ${turn.body.length + 1}`])}${turn.body}`, 'reset'),
  'a good answer, then a reset': (turn) => {
    send(turn, `${head('200 OK', [withLength(turn.body)])}${turn.body}`);
    turn.later(turn.random() * 5, () => turn.socket.resetAndDestroy());
  },
  'two answers': (turn) => {
    const one = `${head('200 OK', [withLength(turn.body)])}${turn.body}`;
    send(turn, one + one);
  },
  silence: () => {},
  'slow drip': (turn) => {
    const text = `${head('200 OK', [withLength(turn.body)])}${turn.body}`;
    const drip = (at: number) => {
      turn.socket.write(text.slice(at, at + 1));
      if (at < text.length) turn.later(20, () => drip(at + 1));
    };
    drip(0);
  },
  'another body': (turn) => {
    const body = choose(turn.random, [
      '',
      'null',
      '[]',
      '{}',
      '{"result":',
      '"\\ud800"',
      '<html>',
      '{"error":1}',
      '{"result":[1,5]',
      '\xff\xfe',
    ]);
    send(turn, `${head('200 OK', [withLength(body)])}${body}`);
  },
  'a gzip coding that is none': (turn) =>
    send(turn, `${head('200 OK', ['Content-Encoding: gzip', withLength(turn.body)])}${turn.body}`),
};

export const HTTP: Dialect = {
  take: (text) => takeRequest(text),
  write: ({ status = 200, fields = [], body }) =>
    `${head(`${status} OK`, [...fields, `Content-Length: ${Buffer.byteLength(body)}`])}${body}`,
  nonsense: NONSENSE,
};

/**
 * A raw TCP server that answers requests with every kind of nonsense, in an order that its seed decides. It reads a request
 * until its header section and its declared body have come, as a server would.
 */
export async function startFuzzingPeer(
  seed: number,
  honest: Honest,
  dialect: Dialect = HTTP,
  without: ReadonlySet<string> = new Set(),
): Promise<FuzzingPeer> {
  const random = seededRandom(seed);
  const counts = new Map<string, number>();
  const kinds = Object.keys(dialect.nonsense).filter((kind) => !without.has(kind));
  const open = new Set<Socket>();
  const ended = new WeakSet<Socket>();
  let honestly = true;
  let chosen: string | null = null;

  const answer = (socket: Socket, request: { head: string; body: string }) => {
    if (ended.has(socket)) return;
    const truth = honest({ ...request, port: loopback.port, origin: `http://127.0.0.1:${loopback.port}` });
    const { body } = truth;
    if (honestly || dialect.spares?.(request.head, random)) return void socket.write(dialect.write(truth));
    const kind = chosen ?? choose(random, kinds);
    if (dialect.ends?.has(kind)) ended.add(socket);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    dialect.nonsense[kind]?.({ socket, random, body, later: laterOn(socket) });
  };

  const server = createServer((socket) => {
    open.add(socket);
    socket.setNoDelay(true);
    socket.setMaxListeners(0);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    takeRequests(socket, dialect, (request) => answer(socket, request));
  });
  const loopback = await listenOnLoopback(server);
  return {
    port: loopback.port,
    url: `http://127.0.0.1:${loopback.port}`,
    counts,
    behave(next) {
      honestly = next;
    },
    only(kind) {
      chosen = kind;
    },
    sockets: () => open.size,
    stop: loopback.down,
  };
}

/** Calls back with each request that comes. */
export function takeRequests(
  socket: Socket,
  dialect: Dialect,
  take: (request: { head: string; body: string }) => void,
): void {
  let pending = '';
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    for (let taken = dialect.take(pending); taken !== null; taken = dialect.take(pending)) {
      pending = pending.slice(taken.bytes);
      take(taken);
    }
  });
}

/** Does work later, but not once the connection has closed. */
export function laterOn(socket: Socket): Turn['later'] {
  const timers = new Set<NodeJS.Timeout>();
  socket.once('close', () => {
    for (const timer of timers) clearTimeout(timer);
  });
  return (ms, act) => {
    if (!socket.destroyed) timers.add(setTimeout(act, ms));
  };
}

/** The first whole request, or null while there is none; a body has a declared length or chunks. */
export function takeRequest(text: string): { head: string; body: string; bytes: number } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const section = text.slice(0, end);
  const length = /^content-length: *(\d+)$/im.exec(section)?.[1];
  if (length !== undefined) {
    const bytes = end + 4 + Number(length);
    return text.length < bytes ? null : { head: section, body: text.slice(end + 4, bytes), bytes };
  }
  if (!/^transfer-encoding: *chunked$/im.test(section)) return { head: section, body: '', bytes: end + 4 };
  const last = text.indexOf('0\r\n\r\n', end + 4);
  return last === -1 ? null : { head: section, body: text.slice(end + 4, last), bytes: last + 5 };
}
