import { createServer, type Socket } from 'node:net';
import { takeRequest } from './fuzzing-peer.ts';
import { listenOnLoopback } from './loopback-server.ts';

/** A request as it stood on the wire. */
export interface RawRequest {
  /** Request line and fields, as they came. */
  readonly head: string;
  readonly body: string;
  /** How many requests this connection has carried before. */
  readonly before: number;
  /** Every value of a field, in order. */
  values(name: string): string[];
}

export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  readonly requests: RawRequest[];
  /** Connections open now. */
  sockets(): number;
  stop(): Promise<void>;
}

/** An upstream whose every byte a test chooses. A string that is given is written as Latin-1. */
export async function startRawUpstream(
  answer: (request: RawRequest, socket: Socket) => string | null,
): Promise<RawUpstream> {
  const requests: RawRequest[] = [];
  const open = new Set<Socket>();
  const loopback = await listenOnLoopback(
    createServer((socket) => {
      open.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => open.delete(socket));
      let [pending, before] = ['', 0];
      socket.on('data', (chunk) => {
        pending += chunk.toString('latin1');
        for (let taken = takeRequest(pending); taken !== null; taken = takeRequest(pending)) {
          pending = pending.slice(taken.bytes);
          const { head, body } = taken;
          const values = (name: string) =>
            head
              .split('\r\n')
              .filter((line) => line.toLowerCase().startsWith(`${name}:`))
              .map((line) => line.slice(name.length + 1).trim());
          const request = { head, body, before: before++, values };
          requests.push(request);
          const text = answer(request, socket);
          if (text !== null) socket.write(Buffer.from(text, 'latin1'));
        }
      });
    }),
  );
  return {
    url: `http://127.0.0.1:${loopback.port}`,
    port: loopback.port,
    requests,
    sockets: () => open.size,
    stop: loopback.down,
  };
}
