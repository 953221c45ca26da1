import { expect, test } from 'vitest';
import { createRedisConnection } from '../../../lib/redis/connection.ts';
import { RedisFailure } from '../../../lib/redis/failure.ts';

/** What the breaker is handed beside the wall clock: an hour back or ahead does not reach it. */
test('a breaker that opened tries again after its pause, whatever the wall clock does', async () => {
  let monotonicMs = 0;
  let trips = 0;
  const client = {
    evalsha: () => Promise.reject(new RedisFailure('unreachable')),
    eval: () => Promise.reject(new RedisFailure('unreachable')),
    command: () => {
      trips++;
      return Promise.reject(new RedisFailure('unreachable'));
    },
  };
  const connection = createRedisConnection(
    { timeoutMs: 100 },
    { client, clock: () => monotonicMs, random: () => 0, log: () => {} },
  );
  const trip = () => connection.trip((by, signal) => by.command(['PING'], signal));
  for (let failure = 0; failure < 3; failure++) await trip();
  expect(connection.isOpen()).toBe(true);
  await trip();
  expect(trips).toBe(3);
  monotonicMs += 1_100;
  await trip();
  expect(trips).toBe(4);
});
