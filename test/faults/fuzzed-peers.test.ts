import { expect, test } from 'vitest';
import { fuzz } from '../support/fuzz-run.ts';
import { fuzzTargets } from '../support/fuzz-targets.ts';

/** Printed with every failure, so that a run can be repeated. */
const seed = Number(process.env.FUZZ_SEED ?? 20261127);
const ANSWERS = 300;

test.each(fuzzTargets.map((target) => [target.name, target] as const))(
  `a %s that answers nonsense (seed ${seed}) is a stated failure, and the next call works`,
  async (_name, target) => {
    const report = await fuzz(target, { seed, answers: ANSWERS, width: 16 });
    expect(report.answers).toBeGreaterThanOrEqual(ANSWERS);
    expect(report.findings).toEqual([]);
  },
  180_000,
);
