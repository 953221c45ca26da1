import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { RedisExchange } from '../lib/admit/redis-connection.ts';

const maximumAnswerBytes = 16 * 1024 * 1024;

/**
 * The exchange with Redis over Node's own client and kept-alive sockets: a third of what `fetch` costs. An answer past 16 MiB
 * is cut off. Follows no redirect.
 */
export const createNodeRedisExchange = (url: URL, token: string): RedisExchange => {
  const secure = url.protocol === 'https:';
  const connect = secure ? httpsRequest : httpRequest;
  const kept = { keepAlive: true, maxSockets: 256, scheduling: 'lifo' as const };
  const agent = secure ? new HttpsAgent({ ...kept, minVersion: 'TLSv1.2' }) : new HttpAgent(kept);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return (body, signal) =>
    new Promise((resolve, reject) => {
      const length = Buffer.byteLength(body);
      const outgoing = connect(url, {
        method: 'POST',
        agent,
        signal,
        headers: { ...headers, 'content-length': length },
      });
      outgoing.once('error', reject);
      outgoing.once('response', (incoming) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > maximumAnswerBytes) incoming.destroy(new Error('answer too large'));
        });
        incoming.once('error', reject);
        incoming.once('aborted', () => reject(new Error('answer cut off')));
        incoming.once('end', () =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      });
      outgoing.end(body);
    });
};
