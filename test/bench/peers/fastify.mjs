/** fastify with fast-jwt, as its documentation has it: `BENCH` holds key, issuer, audience, and what to add. */
import rateLimit from '@fastify/rate-limit';
import { createVerifier } from 'fast-jwt';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import { FIELDS } from './fields.mjs';

const { publicPem, issuer, audience, cache, redisPort } = JSON.parse(process.env.BENCH);
const verify = createVerifier({
  key: publicPem,
  algorithms: ['RS256'],
  allowedIss: issuer,
  allowedAud: audience,
  requiredClaims: ['exp'],
  cache,
});

const app = fastify();
app.decorateRequest('user', null);
const authenticate = async (request, reply) => {
  try {
    const field = request.headers.authorization ?? '';
    if (!field.startsWith('Bearer ')) throw new Error('no token');
    request.user = verify(field.slice(7));
    if (!request.user.scope.split(' ').includes('jobs')) return reply.code(403).send({ error: 'forbidden' });
  } catch {
    return reply.code(401).send({ error: 'unauthorized' });
  }
};
const route = { onRequest: authenticate };
if (redisPort) {
  await app.register(rateLimit, { global: false, redis: new Redis({ host: '127.0.0.1', port: redisPort }) });
  route.preHandler = app.rateLimit({
    max: 1_000_000,
    timeWindow: 60_000,
    keyGenerator: (request) => request.user.sub,
  });
}
app.get('/_authorizer/check', route, async (request, reply) => {
  for (const [name, value] of FIELDS) reply.header(name, value);
  reply.header('x-auth-request-user', request.user.sub);
  return '';
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
