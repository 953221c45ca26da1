import { connect } from 'node:net';

/** What a load generator is told to do. */
export interface Job {
  readonly port: number;
  readonly connections: number;
  /** Everything of a request before and after its token. */
  readonly before: string;
  readonly after: string;
  readonly tokens: readonly string[];
}

/** What came of it: answers by status, and the median latency. */
export interface Done {
  readonly statuses: Readonly<Record<string, number>>;
  readonly p50Micros: number;
}

/**
 * A process of its own that sends one request per token over kept-alive connections, each waiting for its answer, and reads
 * no more of an answer than where it ends. Speaks by messages with whoever forked it.
 */
process.on('message', async (job: Job) => {
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  let next = 0;
  const converse = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(job.port, '127.0.0.1');
      socket.setNoDelay(true);
      let received = '';
      let sentAt = 0;
      const send = () => {
        const token = job.tokens[next++];
        if (token === undefined) return void socket.end();
        sentAt = performance.now();
        socket.write(`${job.before}${token}${job.after}`, 'latin1');
      };
      socket.setEncoding('latin1');
      socket.on('connect', send);
      socket.on('data', (text: string) => {
        received = received === '' ? text : received + text;
        if (!isWhole(received)) return;
        latencies.push((performance.now() - sentAt) * 1000);
        const status = received.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        received = '';
        send();
      });
      socket.once('error', reject);
      socket.once('close', () => (next > job.tokens.length ? resolve() : reject(new Error('connection closed'))));
    });
  try {
    await Promise.all(Array.from({ length: job.connections }, converse));
    latencies.sort((a, b) => a - b);
    process.send?.({ statuses, p50Micros: latencies[latencies.length >> 1] ?? 0 } satisfies Done);
  } catch (error) {
    process.send?.({ statuses: { error: 1, [String(error)]: 1 }, p50Micros: 0 } satisfies Done);
  }
});
process.once('disconnect', () => process.exit());

const LENGTH = /\r\ncontent-length: *(\d+)/i;

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const head = text.slice(0, end);
  const length = LENGTH.exec(head)?.[1];
  if (length !== undefined) return text.length >= end + 4 + Number(length);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return text.endsWith('\r\n0\r\n\r\n');
  return true;
}
