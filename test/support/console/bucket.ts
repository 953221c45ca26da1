import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createMemoryObjectStore } from '../../../lib/storage/memory.ts';
import type { ObjectStore } from '../../../lib/storage/store.ts';
import { type LoopbackServer, listenOnLoopback } from '../loopback-server.ts';

const BUCKET = 'records';

/** A bucket in memory that S3 clients can read. */
export interface ReadableBucket extends LoopbackServer {
  readonly name: string;
  readonly endpoint: string;
  /** What lies in it, by key. */
  readonly objects: Map<string, Uint8Array<ArrayBuffer>>;
  /** The same bucket for who writes. */
  readonly store: ObjectStore;
  /** Milliseconds by which every answer is late. */
  delayMs: number;
}

/** Starts the reading half of S3 (GetObject, HeadObject, ListObjectsV2) over a bucket in memory. */
export async function startBucket(): Promise<ReadableBucket> {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = createMemoryObjectStore(objects);
  const state = { delayMs: 0 };
  const server = createServer((request, response) => {
    void new Promise((resolve) => setTimeout(resolve, state.delayMs)).then(() => answer(objects, request, response));
  });
  const listening = await listenOnLoopback(server);
  return Object.assign(state, {
    ...listening,
    name: BUCKET,
    endpoint: `http://127.0.0.1:${listening.port}`,
    objects,
    store,
  });
}

function answer(objects: ReadableBucket['objects'], request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bucket');
  const key = decodeURIComponent(pathname).slice(BUCKET.length + 2);
  if (searchParams.has('list-type')) return void response.end(listing(objects, searchParams));
  const object = objects.get(key);
  if (object === undefined) return void response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined) return void response.writeHead(200, { 'content-length': object.length }).end(object);
  const part = object.slice(Number(from), Number(to) + 1);
  const range = `bytes ${from}-${Number(from) + part.length - 1}/${object.length}`;
  response.writeHead(206, { 'content-length': part.length, 'content-range': range }).end(part);
}

function listing(objects: ReadableBucket['objects'], query: URLSearchParams): string {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('start-after') ?? ''];
  const delimiter = query.get('delimiter');
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const folderOf = (key: string) => {
    const at = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length);
    return at === -1 ? null : key.slice(0, at + 1);
  };
  const folders = new Set(keys.flatMap((key) => folderOf(key) ?? []));
  const contents = keys
    .filter((key) => folderOf(key) === null)
    .map((key) => `<Contents><Key>${key}</Key><Size>${objects.get(key)?.length ?? 0}</Size></Contents>`);
  const common = [...folders].map((folder) => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`);
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>${contents.join('')}${common.join('')}</ListBucketResult>`;
}
