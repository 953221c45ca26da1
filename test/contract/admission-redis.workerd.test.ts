import { inject } from 'vitest';
import { fetchExchange } from '../../lib/redis/exchange.ts';
import { createUpstashClient } from '../../lib/redis/upstash-client.ts';
import { describeWith } from '../support/describe-with.ts';
import type {} from '../support/redis-for-workerd.ts';
import { redisUnderTest } from './admission-redis-store.ts';
import { budgetsContract, proofsContract, revocationsContract } from './admission-suite.ts';

const redis = inject('redis');

describeWith('missing' in redis ? [redis] : [], 'in Redis, from a Worker', () => {
  const make = () => {
    if ('missing' in redis) throw new Error(redis.missing);
    return redisUnderTest(createUpstashClient(fetchExchange(redis, (input, init) => fetch(input, init))));
  };
  budgetsContract(make);
  revocationsContract(make);
  proofsContract(make);
});
