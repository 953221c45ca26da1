import { afterEach, expect, test, vi } from 'vitest';
import { createS3Store } from '../../../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../../../lib/storage/s3/s3-client.ts';

afterEach(() => void vi.unstubAllGlobals());

test('over a Worker’s fetch no redirect of an object store is followed', async () => {
  const asked: Request[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push(request);
    return new Response(null, { status: 307, headers: { location: 'http://169.254.169.254/latest/meta-data/' } });
  });
  const client = createS3Client({
    endpoint: 'https://objects.example',
    region: 'auto',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    timeoutMs: 1000,
  });
  const store = createS3Store(
    client,
    { bucket: 'records', conditionalWrites: true, retention: null, encryption: null },
    { clock: Date.now },
  );
  await expect(store.create('a', new Uint8Array([1]), 'text/plain')).rejects.toThrow();
  expect(asked.length).toBeGreaterThan(0);
  for (const { url, redirect } of asked) expect([new URL(url).host, redirect]).toEqual(['objects.example', 'manual']);
});
