import { expect, test } from 'vitest';
import { loadThroughNginx } from '../bench/load-nginx.ts';
import { loadPrograms } from '../bench/load-setting.ts';
import { describeWith } from '../support/describe-with.ts';

const programs = await loadPrograms();

/* The load test of test/bench in small: 2,000 requests instead of 50,000, and a Redis that may be slow without being down. */
describeWith(programs, 'load through nginx in production, one request in a hundred hostile', () => {
  test('gets no answer that nobody owed, loses no record, and the door’s memory stays flat', async () => {
    const report = await loadThroughNginx(2000, { TGEFD_REDIS_TIMEOUT_MS: '5000' });
    expect(report.errors).toEqual([]);
    expect(report.outages).toEqual([]);
    expect(report.hostile).toBe(20);
    // Revocations and budgets were asked: a revoked token fails, and who may ask once a minute is told so the second time.
    expect(report.denials).toMatchObject({ '401 credentials_invalid': expect.any(Number), '429 rate_limited': 1 });
    expect(report.recorded).toBe(report.decided);
    expect(report.decided).toBeGreaterThan(1900);
    expect(report.differences.found).toEqual(report.differences.planted);
    expect(Object.keys(report.differences.planted)).toContain('GET /v1/metrics shadow_denies');
    expect(report.liveHeapMiB.last).toBeLessThan(report.liveHeapMiB.settled + 4);
    expect(report.residentMiB.last).toBeLessThan(report.residentMiB.settled + 64);
    expect(report.p99).toBeLessThan(5000);
  }, 120_000);
});
