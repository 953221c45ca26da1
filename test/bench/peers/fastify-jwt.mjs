/** fastify with @fastify/jwt and get-jwks, as their documentation has them. */
import jwt from '@fastify/jwt';
import fastify from 'fastify';
import buildGetJwks from 'get-jwks';
import { FIELDS } from './fields.mjs';

const { issuer, audience, keySetUrl } = JSON.parse(process.env.BENCH);
const { origin, pathname } = new URL(keySetUrl);
const keySets = buildGetJwks({ jwksPath: pathname });
const app = fastify();
await app.register(jwt, {
  decode: { complete: true },
  secret: (_request, { header: { kid, alg } }) => keySets.getPublicKey({ kid, alg, domain: origin }),
  verify: { algorithms: ['RS256'], allowedIss: issuer, allowedAud: audience, requiredClaims: ['exp'] },
});
app.addHook('onRequest', async (request, reply) => {
  await request.jwtVerify();
  if (!request.user.scope.split(' ').includes('jobs')) return reply.code(403).send({ error: 'forbidden' });
});
app.get('/_authorizer/check', async (request, reply) => {
  for (const [name, value] of FIELDS) reply.header(name, value);
  reply.header('x-auth-request-user', request.user.sub);
  return '';
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
