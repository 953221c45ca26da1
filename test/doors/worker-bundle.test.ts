import { expect, it } from 'vitest';
import {
  CONSOLE_GZIP_LIMIT_BYTES,
  consoleGzipBytes,
  WORKER_GZIP_LIMIT_BYTES,
  workerGzipBytes,
} from '../../infra/bundle-size.ts';

it('the Worker bundle stays within its weight, so that an isolate starts quickly', async () => {
  expect(await workerGzipBytes()).toBeLessThanOrEqual(WORKER_GZIP_LIMIT_BYTES);
});

it('the console adds no more than its share to what its Worker has of the gateway', async () => {
  expect((await consoleGzipBytes()).own).toBeLessThanOrEqual(CONSOLE_GZIP_LIMIT_BYTES);
});
