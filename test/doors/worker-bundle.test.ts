import { expect, it } from 'vitest';
import { WORKER_GZIP_LIMIT_BYTES, workerGzipBytes } from '../../infra/bundle-size.ts';

it('the Worker bundle stays within its weight, so that an isolate starts quickly', async () => {
  expect(await workerGzipBytes()).toBeLessThanOrEqual(WORKER_GZIP_LIMIT_BYTES);
});
