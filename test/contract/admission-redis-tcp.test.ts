import { afterAll, beforeAll } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { redisProgram } from '../support/redis.ts';
import { type RedisServer, startRedisServer, tcpClient } from '../support/redis-tcp.ts';
import { redisUnderTest } from './admission-redis-store.ts';
import { budgetsContract, revocationsContract } from './admission-suite.ts';

const program = await redisProgram();

describeWith([program], 'in Redis over TCP', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer(program);
  });
  afterAll(() => server?.stop());

  budgetsContract(() => redisUnderTest(tcpClient(server.port)));
  revocationsContract(() => redisUnderTest(tcpClient(server.port)));
});
