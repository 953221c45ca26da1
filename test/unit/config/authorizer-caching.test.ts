import { describe, expect, test } from 'vitest';
import { cachingConsequences } from '../../../lib/config/authorizer-caching.ts';

describe('what it costs that API Gateway keeps answers', () => {
  test('nothing, where it keeps none', () => {
    expect(cachingConsequences({ ttlSeconds: 0, revocationDelaySeconds: 0 })).toEqual([
      'API Gateway keeps no answer: a revoked credential is refused from the next request on',
      'Limits and audit see every request',
    ]);
    expect(cachingConsequences({ ttlSeconds: 0, revocationDelaySeconds: 5 })[0]).toMatch(/after 5 s at most/);
  });

  test('the time to live on top of the bound, and the share of requests that is never seen', () => {
    const lines = cachingConsequences({ ttlSeconds: 300, revocationDelaySeconds: 5 }).join('\n');
    expect(lines).toMatch(/passes for up to 305 s more/);
    expect(lines).toMatch(/with 1 request a second 1 in 300, with 10 a second 1 in 3000/);
    expect(lines).toMatch(/stays refused for up to 300 s/);
  });
});
