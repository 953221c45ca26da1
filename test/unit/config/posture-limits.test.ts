import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { posture } from '../../../lib/config/posture/posture.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;

/** What the posture says of an own table with one row of this budget. */
function linesWith(budget: string, env: Record<string, string> = {}) {
  const endpoints = JSON.stringify([{ method: 'GET', path: '/orders', scope: null, budget }]);
  const loaded = loadConfig(
    {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_UPSTREAM_URL: 'http://127.0.0.1:3000',
      TGEFD_JWKS_URL: 'http://127.0.0.1:4000/jwks',
      TGEFD_JWT_ISSUER: 'https://issuer.example',
      TGEFD_PRESET: 'none',
      TGEFD_ENDPOINTS: endpoints,
      ...env,
    },
    place,
  );
  if (!loaded.ok) throw new Error('the configuration is invalid');
  return posture(loaded.config)
    .map(({ text }) => text)
    .join('\n');
}

describe('the posture of budgets', () => {
  it('names heavy rows, not endpoints of the preset, where an own table has heavy rows', () => {
    const text = linesWith('heavy');
    expect(text).toContain('No further limit on rows with the budget `heavy`');
    expect(text).not.toMatch(/discover|evaluate/);
  });

  it('says nothing of a heavy budget where no row spends from it', () => {
    expect(linesWith('read')).not.toContain('`heavy`');
  });

  it('says the heavy budget where one is set', () => {
    expect(linesWith('heavy', { TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '7' })).toContain('Heavy budget: 7 a minute');
  });
});
