import { redisProgram, startRedis } from './redis.ts';

/** A Redis behind its REST face as a process of its own: tells on one line where it is, and ends when asked to. */
const redis = await startRedis(await redisProgram());
process.once('SIGTERM', () => {
  void redis.stop().then(() => process.exit());
});
console.log(JSON.stringify({ url: redis.url, token: redis.token }));
