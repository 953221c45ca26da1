import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { startDoorScenarios } from '../support/fuzz-door-scenarios.ts';
import { fuzzDoor, TOO_MUCH_FOR_WORKERD } from '../support/fuzz-doors.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { redisProgram } from '../support/redis.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

/** Printed with every failure, so that a run can be repeated. */
const seed = Number(process.env.FUZZ_SEED ?? 20261127);
/** Once Redis has failed it is asked once a round. */
const ANSWERS: Readonly<Record<string, number>> = { upstream: 36, 'Redis REST': 8, 'key set': 36 };
const program = await redisProgram();

/** The short form of `npm run fuzz:doors`. */
describeWith([program], 'a real process whose upstream, Redis or issuers answer nonsense', () => {
  let parts: Awaited<ReturnType<typeof startDoorScenarios>>;
  beforeAll(async () => {
    parts = await startDoorScenarios(program);
  });
  afterAll(() => parts?.stop());

  test.each([
    ['Node', startNodeDoor, new Set<string>()],
    ['workerd', startWorkerDoor, TOO_MUCH_FOR_WORKERD],
  ] as const)(
    `on %s states a failure each time, lives, and serves the next request (seed ${seed})`,
    async (_name, start, without) => {
      const reports = await Promise.all(
        parts.scenarios.map((each) =>
          fuzzDoor((env) => start(env), each, { seed, answers: ANSWERS[each.name] ?? 0, without }),
        ),
      );
      for (const { answers, findings, scenario } of reports) {
        expect(answers).toBeGreaterThanOrEqual(ANSWERS[scenario] ?? 1);
        expect(findings, scenario).toEqual([]);
      }
    },
    120_000,
  );
});
