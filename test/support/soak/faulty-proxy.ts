import { connect, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from '../loopback-server.ts';
import { choose, type Random } from '../random.ts';

/** What goes wrong between the authorizer and one of its peers. `lie`: nonsense instead of the answer. */
export const FAULTS = ['down', 'hang', 'slow', 'reset', 'lie'] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultyProxy {
  readonly port: number;
  /** What goes wrong from now on; null: nothing. */
  setFault(fault: Fault | null): Promise<void>;
  /** Connections of the authorizer that are open now. */
  sockets(): number;
  stop(): Promise<void>;
}

/** Nonsense that no client may take for a success, whatever it speaks. */
const LIES = [
  'HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'HTTP/1.1 2',
  'HTTP/1.1 200 O\x01K\r\nContent-Length: 10\r\n\r\nok',
  '$-99\r\n:x\r\n*3\r\n+',
  '*1000000\r\n',
  '\x00\x00\x00\x00',
  'SSH-2.0-OpenSSH_9.9\r\n',
];
const SLOW_MS = 60;

/** Passes bytes between the authorizer and a peer at `peerPort`, and spoils them as it is told. */
export async function startFaultyProxy(peerPort: number, random: Random): Promise<FaultyProxy> {
  let fault: Fault | null = null;
  const open = new Set<Socket>();
  const stuck = new Set<Socket>();
  const spoil = (near: Socket, piece: Buffer, far: Socket): void => {
    if (fault === 'hang') {
      // A connection that lost bytes never carries later ones: TCP has no holes.
      far.pause();
      stuck.add(near);
    } else if (fault === 'reset') {
      near.write(piece.subarray(0, Math.floor(piece.length * random())), () => near.resetAndDestroy());
    } else if (fault === 'lie') near.end(Buffer.from(choose(random, LIES), 'latin1'));
    else if (fault === 'slow') {
      // Later bytes wait behind these.
      far.pause();
      setTimeout(() => {
        if (!near.destroyed) near.write(piece);
        far.resume();
      }, SLOW_MS);
    } else if (!near.write(piece)) {
      far.pause();
      near.once('drain', () => far.resume());
    }
  };
  const server = createServer((near) => {
    open.add(near);
    const far = connect(peerPort, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => {});
      one.once('close', () => other.destroy());
    }
    near.once('close', () => {
      open.delete(near);
      stuck.delete(near);
    });
    near.on('data', (piece) => {
      if (!far.write(piece)) {
        near.pause();
        far.once('drain', () => near.resume());
      }
    });
    far.on('data', (piece) => spoil(near, piece, far));
    // What is still on its way through a slow proxy goes first.
    far.once('end', () => setTimeout(() => near.end(), SLOW_MS * 2));
  });
  const loopback = await listenOnLoopback(server);
  return {
    port: loopback.port,
    async setFault(next) {
      fault = next;
      for (const near of stuck) near.resetAndDestroy();
      await (next === 'down' ? loopback.down() : loopback.up());
    },
    sockets: () => open.size,
    stop: loopback.down,
  };
}
