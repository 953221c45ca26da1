import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * What the Worker may weigh, for start-up time at the edge grows with it. The aim is 105 KiB with the Upstash libraries inside;
 * this bound keeps what stands above it from growing.
 */
export const WORKER_GZIP_AIM_BYTES = 105 * 1024;
export const WORKER_GZIP_LIMIT_BYTES = 137 * 1024;

/**
 * What the console may weigh: its screens, and what only they bring along, beyond the pipeline that its Worker shares with the
 * gateway's and that decides about operators too.
 */
export const CONSOLE_GZIP_LIMIT_BYTES = 60 * 1024;

/** Bytes of a bundle of dist/ as Cloudflare counts them, gzip. Throws where it has not been built. */
async function gzipBytes(bundle: string): Promise<number> {
  return gzipSync(await readFile(join(dirname(import.meta.dirname), 'dist', bundle))).byteLength;
}

/** Bytes of dist/worker.js, gzip. */
export function workerGzipBytes(): Promise<number> {
  return gzipBytes('worker.js');
}

/** Bytes of dist/worker-console.js, gzip, and how many more they are than those of the gateway. */
export async function consoleGzipBytes(): Promise<{ readonly whole: number; readonly own: number }> {
  const [whole, gateway] = await Promise.all([gzipBytes('worker-console.js'), workerGzipBytes()]);
  return { whole, own: whole - gateway };
}

if (import.meta.main) {
  const bytes = await workerGzipBytes();
  const { whole, own } = await consoleGzipBytes();
  console.log(`dist/worker.js: ${bytes} bytes gzip, aim ${WORKER_GZIP_AIM_BYTES}, limit ${WORKER_GZIP_LIMIT_BYTES}`);
  console.log(
    `dist/worker-console.js: ${whole} bytes gzip, of them the console ${own}, limit ${CONSOLE_GZIP_LIMIT_BYTES}`,
  );
  process.exitCode = bytes <= WORKER_GZIP_LIMIT_BYTES && own <= CONSOLE_GZIP_LIMIT_BYTES ? 0 : 1;
}
