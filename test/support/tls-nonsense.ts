import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { pour, type Turn } from './fuzzing-peer.ts';
import { choose, type Random } from './random.ts';

/** The server's end of a connection, below TLS. */
export interface Wire {
  /** Passes on what TLS wants to send. */
  pass(chunk: Buffer, to: Socket): void;
  /** TLS may end, the connection below stays. */
  keepsOpen: boolean;
}

/** A connection whose handshake has begun. */
export interface Connection {
  readonly socket: Socket;
  readonly wire: Wire;
  readonly secured: TLSSocket;
  readonly random: Random;
  readonly later: Turn['later'];
  /** It has had its nonsense, and answers nothing more. */
  isSpoiled: boolean;
}

type RawNonsense = (turn: { readonly socket: Socket; readonly random: Random; readonly later: Turn['later'] }) => void;
type Tamper = (random: Random) => Wire['pass'];
type Afterwards = (turn: Connection & { readonly body: string; readonly whole: string }) => void;

const [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA] = [0x14, 0x15, 0x16, 0x17];
const SERVER_HELLO = 2;

/** A record of TLS 1.2, whose header says another length where one is given. */
function record(type: number, content: readonly number[], length = content.length): Buffer {
  return Buffer.from([type, 3, 3, length >> 8, length & 0xff, ...content]);
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const bytes = (random: Random, count: number) => Array.from({ length: count }, () => Math.floor(random() * 256));
const LEVELS = [0, 1, 2, 3, 255];
/** Every description that TLS 1.2 and 1.3 know. */
const ALERTS = [
  0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90, 100, 109, 110, 111,
  112, 113, 114, 115, 116, 120, 255,
];
const anAlert = (random: Random) => record(ALERT, [choose(random, LEVELS), choose(random, ALERTS)]);

function drip(whole: Buffer, socket: Socket, later: Turn['later'], at = 0): void {
  if (socket.destroyed || at >= whole.length) return;
  socket.write(whole.subarray(at, at + 1));
  later(20, () => drip(whole, socket, later, at + 1));
}

/** Instead of a handshake. */
export const RAW: Readonly<Record<string, RawNonsense>> = {
  'random bytes': ({ socket, random }) => void socket.write(Buffer.from(bytes(random, 200))),
  'plain HTTP': ({ socket }) => void socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  'plain RESP': ({ socket }) => void socket.write('-ERR unencrypted connection\r\n'),
  'a record of another version': ({ socket, random }) =>
    void socket.write(
      Buffer.from([HANDSHAKE, choose(random, [0, 2, 3, 9]), choose(random, [0, 5, 99]), 0, 4, 2, 0, 0, 0]),
    ),
  'a record of length zero': ({ socket }) => void socket.write(record(HANDSHAKE, [])),
  'a record longer than any': ({ socket }) => pour({ socket }, record(HANDSHAKE, zeros(0x4000), 0xffff)),
  'a record of another type': ({ socket, random }) =>
    void socket.write(record(choose(random, [0, 0x13, 0x18, 0x80, 255]), zeros(40))),
  'an alert': ({ socket, random }) => void socket.write(anAlert(random)),
  'an alert, then the end': ({ socket, random }) => void socket.end(anAlert(random)),
  'alerts without end': ({ socket }) => pour({ socket }, record(ALERT, [1, 90])),
  'half a record, then the end': ({ socket }) => void socket.end(record(HANDSHAKE, [SERVER_HELLO, 0], 200)),
  'half a record, then silence': ({ socket }) => void socket.write(record(HANDSHAKE, [SERVER_HELLO, 0], 200)),
  'half a record, then a reset': ({ socket }) =>
    void socket.write(record(HANDSHAKE, [SERVER_HELLO], 200), () => socket.resetAndDestroy()),
  'a ServerHello of random bytes': ({ socket, random }) =>
    void socket.write(record(HANDSHAKE, [SERVER_HELLO, 0, 0, 90, 3, 3, ...bytes(random, 88)])),
  'a handshake message without end': ({ socket }) => {
    socket.write(record(HANDSHAKE, [SERVER_HELLO, 0xff, 0xff, 0xff]));
    pour({ socket }, record(HANDSHAKE, zeros(0x1000)));
  },
  'change cipher specs without end': ({ socket }) => pour({ socket }, record(CHANGE_CIPHER_SPEC, [1])),
  'data before a handshake': ({ socket, random }) => void socket.write(record(DATA, bytes(random, 50))),
  'silence instead of a handshake': () => {},
  'closed instead of a handshake': ({ socket }) => void socket.end(),
  'reset instead of a handshake': ({ socket }) => void socket.resetAndDestroy(),
  'a slow drip of a record': ({ socket, later }) =>
    drip(record(HANDSHAKE, [SERVER_HELLO, 0, 0x3f, 0xf0, ...zeros(0x1000)], 0x3ff4), socket, later),
};

/** Within a handshake that is good otherwise. */
export const TAMPERED: Readonly<Record<string, Tamper>> = {
  'a handshake with another bit': (random) => {
    let isDone = false;
    return (chunk, to) => {
      const copy = Buffer.from(chunk);
      const at = Math.floor(random() * copy.length);
      if (!isDone) copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      isDone = true;
      to.write(copy);
    };
  },
  'half a handshake, then the end': (random) => (chunk, to) =>
    void to.end(chunk.subarray(0, Math.floor(random() * chunk.length))),
  'half a handshake, then silence': (random) => {
    let isDone = false;
    return (chunk, to) => {
      if (!isDone) to.write(chunk.subarray(0, Math.floor(random() * chunk.length)));
      isDone = true;
    };
  },
};

function half(text: string): string {
  return text.slice(0, Math.max(1, Math.floor(text.length / 2)));
}

/** Once the handshake is over, instead of an answer or within it. */
export const AFTER: Readonly<Record<string, Afterwards>> = {
  'closed after the handshake': ({ socket }) => void socket.end(),
  'reset after the handshake': ({ socket }) => void socket.resetAndDestroy(),
  'silence after the handshake': () => {},
  'random bytes after the handshake': ({ socket, random }) => void socket.write(Buffer.from(bytes(random, 100))),
  'an alert in the clear after the handshake': ({ socket, random }) => void socket.write(anAlert(random)),
  'plain bytes after the handshake': ({ socket, whole }) => void socket.write(whole),
  'a record that no key opens': ({ socket, random }) => void socket.write(record(DATA, bytes(random, 80))),
  'a record longer than any after the handshake': ({ socket }) => pour({ socket }, record(DATA, zeros(0x4000), 0xffff)),
  'records that no key opens, without end': ({ socket, random }) =>
    pour({ socket }, record(DATA, bytes(random, 0x1000))),
  'an answer with another bit': ({ wire, secured, whole, random }) => {
    wire.pass = TAMPERED['a handshake with another bit']?.(random) ?? wire.pass;
    secured.write(whole);
  },
  'half an answer, then the end below TLS': ({ socket, secured, whole, later }) => {
    secured.write(half(whole));
    later(5, () => socket.end());
  },
  'half an answer, then a reset below TLS': ({ socket, secured, whole, later }) => {
    secured.write(half(whole));
    later(5, () => socket.resetAndDestroy());
  },
  'half an answer, then a close_notify': ({ secured, whole }) => void secured.end(half(whole)),
  'a close_notify, and the connection stays': ({ wire, secured }) => {
    wire.keepsOpen = true;
    secured.end();
  },
  'half a record of an answer': ({ wire, secured, whole }) => {
    wire.pass = (chunk, to) => void to.write(chunk.subarray(0, chunk.length >> 1));
    secured.write(whole);
  },
  'a slow drip of an answer': ({ wire, secured, whole, later }) => {
    wire.pass = (chunk, to) => drip(chunk, to, later);
    secured.write(whole);
  },
  'a renegotiation': ({ secured }) => void secured.renegotiate({}, () => {}),
  'a good answer, then the end below TLS': ({ socket, secured, whole, later }) => {
    secured.write(whole);
    later(2, () => socket.end());
  },
  'a good answer, then a close_notify': ({ secured, whole }) => void secured.end(whole),
  'a good answer, then random bytes': ({ socket, secured, whole, random, later }) => {
    secured.write(whole);
    later(2, () => socket.write(Buffer.from(bytes(random, 60))));
  },
};

/** Kinds that hold a whole answer of a peer that is who it says. */
export const MISLEADING: ReadonlySet<string> = new Set([
  'a slow drip of an answer',
  'a renegotiation',
  'a handshake with another bit',
  'a good answer, then the end below TLS',
  'a good answer, then a close_notify',
  'a good answer, then random bytes',
]);
