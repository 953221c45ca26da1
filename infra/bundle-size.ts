import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * What the Worker may weigh, for start-up time at the edge grows with it. The aim is 105 KiB with the Upstash libraries inside;
 * this bound keeps what stands above it from growing.
 */
export const WORKER_GZIP_AIM_BYTES = 105 * 1024;
export const WORKER_GZIP_LIMIT_BYTES = 149 * 1024;

/** Bytes of dist/worker.js as Cloudflare counts them, gzip. Throws where it has not been built. */
export async function workerGzipBytes(): Promise<number> {
  return gzipSync(await readFile(join(dirname(import.meta.dirname), 'dist/worker.js'))).byteLength;
}

if (import.meta.main) {
  const bytes = await workerGzipBytes();
  console.log(`dist/worker.js: ${bytes} bytes gzip, aim ${WORKER_GZIP_AIM_BYTES}, limit ${WORKER_GZIP_LIMIT_BYTES}`);
  process.exitCode = bytes <= WORKER_GZIP_LIMIT_BYTES ? 0 : 1;
}
