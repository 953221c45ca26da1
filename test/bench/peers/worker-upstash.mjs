/** hono with jose and @upstash/ratelimit in workerd; `AWAITS` is three where revocation and record are separate trips. */
import { Ratelimit } from '@upstash/ratelimit';
import { Redis } from '@upstash/redis/cloudflare';
import { honoJose } from './hono-jose.mjs';

let app;
const build = (env) => {
  const redis = new Redis({ url: env.REDIS_URL, token: env.REDIS_TOKEN, enableTelemetry: false });
  const limiter = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(1_000_000, '60 s'), analytics: false });
  return honoJose(env, async (c, next) => {
    const { sub, jti } = c.get('user');
    if (env.AWAITS === 'three' && (await redis.get(`revoked:${jti}`))) return c.json({ error: 'unauthorized' }, 401);
    const { success, remaining } = await limiter.limit(sub);
    if (!success) return c.json({ error: 'too many requests' }, 429);
    c.header('ratelimit-remaining', String(remaining));
    if (env.AWAITS === 'three')
      await redis.xadd(
        'audit',
        '*',
        { sub, path: c.req.path },
        { trim: { type: 'MAXLEN', comparison: '~', threshold: 1000 } },
      );
    return next();
  });
};
export default {
  fetch: (request, env, context) => {
    app ??= build(env);
    return app.fetch(request, env, context);
  },
};
