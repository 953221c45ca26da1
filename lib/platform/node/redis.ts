import type { IncomingMessage } from 'node:http';
import { EgressRefused } from '../../decision/egress-refused.ts';
import type { NoteRefusal } from '../../egress/guard.ts';
import type { RedisExchange } from '../../redis/exchange.ts';
import { AnswerRefused } from './client/answer.ts';
import { exchange } from './client/exchange.ts';
import { keepConnecting } from './client/kept-connections.ts';
import type { NodeEgress } from './egress.ts';

/** A Redis that is far away answers soon after the deadline of a decision: its connection is worth that wait. */
const LINGER_MS = 2_000;
const MAXIMUM_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * The exchange with Redis, by token, over Node's own client and kept connections: a third of what `fetch` costs. An answer
 * past 16 MiB is cut off. A trip that is given up leaves its connection to the next.
 * A redirect is not followed but noted: nobody sends our token elsewhere. A `repeatable` trip on a
 * kept connection that was closed is sent once more on a new one.
 */
export function createNodeRedisExchange(
  url: URL,
  egress: NodeEgress,
  note: NoteRefusal,
): (token: string) => RedisExchange {
  const secure = url.protocol === 'https:';
  const scheme = secure ? 'https' : 'http';
  const agents = {
    kept: keepConnecting(egress.agents({ maxSockets: 256 })[scheme], secure),
    fresh: egress.agents({ keepAlive: false })[scheme],
  };
  const place = {
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
  };
  return (token) => async (body, signal, repeatable) => {
    const { incoming } = await exchange({
      ...place,
      method: 'POST',
      headers: {
        host: url.host,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
      agents,
      signal,
      repeatable,
      upgrade: false,
      lingerMs: LINGER_MS,
      send: (outgoing) => void outgoing.end(body),
    });
    const { location } = incoming.headers;
    if (location === undefined || !URL.canParse(location, url)) return read(incoming);
    const refusal = new EgressRefused(new URL(location, url).host, 'redirect');
    note(refusal);
    incoming.on('error', () => undefined).destroy();
    throw refusal;
  };
}

function read(incoming: IncomingMessage): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAXIMUM_ANSWER_BYTES) incoming.destroy(new Error('answer too large'));
    });
    incoming.on('error', reject);
    incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    incoming.once('close', () => reject(new AnswerRefused('none')));
  });
}
