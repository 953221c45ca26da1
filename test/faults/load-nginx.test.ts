import { expect, test } from 'vitest';
import { loadThroughNginx } from '../bench/load-nginx.ts';
import { describeWith } from '../support/describe-with.ts';
import { nginxProgram } from '../support/proxy.ts';

const program = await nginxProgram();

/* The load test of test/bench in small: 2,000 requests instead of 50,000. */
describeWith([program], 'load through nginx, one request in a hundred hostile', () => {
  test('gets no answer that nobody owed, and the door’s memory stays flat', async () => {
    const report = await loadThroughNginx(2000);
    expect(report.errors).toEqual([]);
    expect(report.hostile).toBe(20);
    expect(report.residentMiB.last).toBeLessThan(report.residentMiB.settled + 64);
    expect(report.p99).toBeLessThan(5000);
  }, 120_000);
});
