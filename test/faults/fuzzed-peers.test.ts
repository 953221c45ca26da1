import { expect, test } from 'vitest';
import { fuzz } from '../support/fuzz-run.ts';
import { fuzzTargets } from '../support/fuzz-targets.ts';

/** Printed with every failure, so that a run can be repeated. */
const seed = Number(process.env.FUZZ_SEED ?? 20261127);
const ANSWERS = 150;
/** A connection that answers in order answers nothing more after most kinds of nonsense. */
const ANSWERS_IN_ORDER = 60;

test.each(fuzzTargets.map((target) => [target.name, target] as const))(
  `a %s that answers nonsense (seed ${seed}) is a stated failure, and the next call works`,
  async (_name, target) => {
    const answers = target.dialect === undefined ? ANSWERS : ANSWERS_IN_ORDER;
    const report = await fuzz(target, { seed, answers, width: 16 });
    expect(report.answers).toBeGreaterThanOrEqual(answers);
    expect(report.findings).toEqual([]);
  },
  180_000,
);
