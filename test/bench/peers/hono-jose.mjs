import { Hono } from 'hono';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { FIELDS } from './fields.mjs';

/** hono with jose, the key held; `then` may add what happens to a verified request. */
export const honoJose = (env, then = (_c, next) => next()) => {
  const { publicJwk, issuer, audience } = JSON.parse(env.BENCH);
  const keys = createLocalJWKSet({ keys: [publicJwk] });
  const options = { issuer, audience, algorithms: ['RS256'], requiredClaims: ['exp', 'sub'] };
  const app = new Hono();
  app.use(async (c, next) => {
    const field = c.req.header('authorization') ?? '';
    if (!field.startsWith('Bearer ')) return c.json({ error: 'unauthorized' }, 401);
    try {
      const { payload } = await jwtVerify(field.slice(7), keys, options);
      if (!payload.scope.split(' ').includes('jobs')) return c.json({ error: 'forbidden' }, 403);
      c.set('user', payload);
    } catch {
      return c.json({ error: 'unauthorized' }, 401);
    }
    return next();
  });
  app.use(then);
  app.get('/_authorizer/check', (c) => {
    for (const [name, value] of FIELDS) c.header(name, value);
    c.header('x-auth-request-user', c.get('user').sub);
    return c.body(null, 200);
  });
  return app;
};
