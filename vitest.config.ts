import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { plainReporter } from './test/support/reporter.ts';

/** Tests that start real processes: one file after the other, after the pure ones, against freshly built bundles. */
const realParts = (name: string, order: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    exclude: ['**/*.workerd.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    testTimeout: 30_000,
    hookTimeout: 360_000, // The first run on a machine may install a package.
    fileParallelism: false,
    sequence: { groupOrder: order },
  },
});

export default defineConfig({
  test: {
    reporters: ['default', plainReporter],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,conformance}/**/*.test.ts'],
          exclude: ['**/*.workerd.test.ts'],
          isolate: false, // What is tested here keeps nothing between calls; half the time of a run goes otherwise.
          maxWorkers: 2,
          testTimeout: 30_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml', environment: 'local' },
            miniflare: { r2Buckets: ['AUDIT_BUCKET'] },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/**/*.workerd.test.ts'],
          globalSetup: ['test/support/redis-for-workerd.ts'],
          testTimeout: 30_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      realParts('contract', 2),
      realParts('doors', 3),
      realParts('faults', 4),
      realParts('infra', 5),
    ],
  },
});
