import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { redisProgram } from '../support/redis.ts';
import { soak } from '../support/soak/soak.ts';

const program = await redisProgram();
const bundle = join(dirname(dirname(import.meta.dirname)), 'dist/node.js');

/** The short form of `npm run soak`, which goes on for half an hour. */
describeWith([program], 'under faults at random', () => {
  test('every answer is a stated one, every decision has one record, and nothing is left open', async () => {
    const report = await soak(program, { seed: 20261127, seconds: 24, perSecond: 40, bundle });
    expect(report).toMatchObject({ findings: {}, lost: 0, twice: 0 });
    expect(report.archive).toBe('integrity intact, completeness intact, order intact');
    expect(report.decisions).toBeGreaterThan(480);
    const { redis, issuer, upstream, store } = report.socketsAtEnd;
    expect({ redis, issuer, upstream, store }).toEqual({ redis: 0, issuer: 0, upstream: 0, store: 0 });
    for (const samples of Object.values(report.heapMiB)) {
      const [first = 0] = samples.slice(3);
      expect((samples.at(-1) ?? 0) - first).toBeLessThan(8);
    }
  }, 150_000);
});
