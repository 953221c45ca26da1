import { expect, test } from 'vitest';
import worker from '../../../functions/worker.ts';

test('a binding UPSTREAM, a service or a client certificate, is asked at the origin that is configured', async () => {
  const asked: Request[] = [];
  const env = {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'none',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_UPSTREAM_URL: 'https://api.internal:8443',
    UPSTREAM: {
      fetch: async (request: Request) => {
        asked.push(request);
        return new Response('from the upstream');
      },
    },
  };
  const context = { waitUntil: () => {}, passThroughOnException: () => {} };
  const answer = await worker.fetch(new Request('https://api.example/v1/%6Detrics?a=1'), env, context as never);
  expect(await answer.text()).toBe('from the upstream');
  expect(asked[0]?.url).toBe('https://api.internal:8443/v1/metrics?a=1');
  expect(asked[0]?.cache).toBe('no-store');
});
