import { createServer, type IncomingMessage } from 'node:http';
import type { ObjectStore } from '../../../lib/storage/store.ts';
import { listenOnLoopback } from '../loopback-server.ts';

const MAXIMUM_BYTES = 16 * 1024 * 1024;

/**
 * The part of the S3 API that the product uses, path style, over any object store: PUT with `If-None-Match: *`, GET, HEAD,
 * DELETE, ListObjectsV2. Checks no signature.
 */
export async function startObjectStoreFace(store: ObjectStore) {
  const answer = async (request: IncomingMessage): Promise<readonly [number, Uint8Array | string]> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://store');
    const key = decodeURIComponent(pathname).split('/').slice(2).join('/');
    switch (request.method) {
      case 'PUT': {
        const pieces: Uint8Array[] = [];
        for await (const piece of request) pieces.push(piece);
        const bytes = new Uint8Array(Buffer.concat(pieces));
        return (await store.create(key, bytes, 'application/octet-stream')) === 'exists' ? [412, ''] : [200, ''];
      }
      case 'DELETE':
        await store.remove(key);
        return [204, ''];
      default:
        if (key === '') return [200, await listing(store, searchParams)];
        return [200, (await store.read(key, MAXIMUM_BYTES)) ?? ''];
    }
  };
  const loopback = await listenOnLoopback(
    createServer((request, response) => {
      answer(request).then(
        ([status, body]) => {
          const missing = request.method === 'GET' && !request.url?.includes('?list-type') && body === '';
          const text = missing ? '<Error><Code>NoSuchKey</Code></Error>' : body;
          response.writeHead(missing ? 404 : status, { 'content-length': Buffer.byteLength(text) }).end(text);
        },
        () => response.destroy(),
      );
    }),
  );
  return { port: loopback.port, stop: loopback.down };
}

async function listing(store: ObjectStore, asked: URLSearchParams): Promise<string> {
  const prefix = asked.get('prefix') ?? '';
  if (asked.get('delimiter') === '/') {
    const folders = await store.folders(prefix);
    const common = folders.map((name) => `<CommonPrefixes><Prefix>${prefix}${name}/</Prefix></CommonPrefixes>`);
    return `<ListBucketResult><IsTruncated>false</IsTruncated>${common.join('')}</ListBucketResult>`;
  }
  const { objects, more } = await store.list(prefix, asked.get('start-after'));
  const contents = objects.map(({ key, bytes }) => `<Contents><Key>${key}</Key><Size>${bytes}</Size></Contents>`);
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${contents.join('')}</ListBucketResult>`;
}
