import { connect, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from './loopback-server.ts';

/** A connection to another port of 127.0.0.1 that a test can break at the worst moment. */
export interface LosingProxy {
  readonly port: number;
  /** How many answers it has lost. */
  readonly lost: { count: number };
  /** How many connections came, and how many were reset while they rested. */
  readonly opened: { count: number };
  readonly reset: { count: number };
  /** The next answer is lost: the other side has done what it was asked, and the connection breaks before its first byte. */
  loseNext(): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port that carries bytes both ways, and loses an answer where it is told to. */
export async function startLosingProxy(
  toPort: number,
  options: {
    /** Each connection is reset so long after an answer (default: never). */
    readonly resetAfterMs?: number;
  } = {},
): Promise<LosingProxy> {
  const [lost, opened, reset] = [{ count: 0 }, { count: 0 }, { count: 0 }];
  const { resetAfterMs } = options;
  let losing = false;
  const loopback = await listenOnLoopback(
    createServer((near: Socket) => {
      opened.count += 1;
      const far = connect(toPort, '127.0.0.1');
      let resting: NodeJS.Timeout | undefined;
      const rest = () => {
        clearTimeout(resting);
        if (resetAfterMs === undefined) return;
        resting = setTimeout(() => {
          reset.count += 1;
          near.resetAndDestroy();
        }, resetAfterMs);
      };
      near.pipe(far);
      far.on('data', (bytes) => {
        rest();
        if (!losing) return void near.write(bytes);
        losing = false;
        lost.count += 1;
        near.resetAndDestroy();
      });
      far.on('error', () => near.destroy()).once('close', () => near.destroy());
      near.on('data', () => clearTimeout(resting));
      near.once('close', () => clearTimeout(resting));
      near.on('error', () => far.destroy()).once('close', () => far.destroy());
    }),
  );
  return {
    port: loopback.port,
    lost,
    opened,
    reset,
    loseNext() {
      losing = true;
    },
    stop: loopback.down,
  };
}
