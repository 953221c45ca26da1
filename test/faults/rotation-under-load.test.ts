import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { rotatedSecrets } from '../../lib/cli/secrets/rotations.ts';
import { describeWith } from '../support/describe-with.ts';
import { redisProgram } from '../support/redis.ts';
import { onStage } from '../support/rotation.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { credentialPlays } from './rotations.ts';
import { keyPlays } from './rotations-keys.ts';

/*
 * Every secret of `tgefd-authorizer rotate`, step by step as it prints them, while callers go on asking a real door in front
 * of a real Redis: whoever should pass always does, whoever should not never does, and the old value is dead when it was said.
 */

// Most of a rotation is waiting: the machine is shared by as many as it can serve.
vi.setConfig({ maxConcurrency: 3, testTimeout: 90_000 });
const program = await redisProgram();
const plays = { ...credentialPlays, ...keyPlays };

test('every secret that has a rotation has one here', () => {
  expect(Object.keys(plays).sort()).toEqual(Object.keys(rotatedSecrets).sort());
});

describeWith([program], 'under load', () => {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream?.stop());

  test.concurrent.each(Object.entries(plays))(
    '%s is rotated, and nobody notices who should not',
    async (secret, play) => {
      const printed = rotatedSecrets[secret]?.steps ?? [];
      await onStage(secret, { redis: program, upstream }, async (stage) => {
        const actions = await play(stage);
        expect(actions).toHaveLength(printed.length);
        for (const [place, act] of actions.entries()) {
          await act();
          expect(stage.load.wrong(), printed[place]).toEqual([]);
        }
        await stage.load.end();
        expect(stage.load.wrong()).toEqual([]);
        for (const count of Object.values(stage.load.right())) expect(count).toBeGreaterThan(0);
        console.log(
          `rotation of ${stage.variable}: ${stage.load.sent()} requests, ${JSON.stringify(stage.load.right())}`,
        );
      });
    },
  );
});
