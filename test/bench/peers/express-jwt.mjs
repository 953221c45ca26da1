/** express with express-jwt and jwks-rsa, as their documentation has them. */
import express from 'express';
import { expressjwt } from 'express-jwt';
import { expressJwtSecret } from 'jwks-rsa';
import { FIELDS } from './fields.mjs';

const { issuer, audience, keySetUrl } = JSON.parse(process.env.BENCH);
const secret = expressJwtSecret({ cache: true, rateLimit: true, jwksUri: keySetUrl });
const app = express();
app.get('/_authorizer/check', expressjwt({ secret, audience, issuer, algorithms: ['RS256'] }), (request, response) => {
  if (!request.auth.scope.split(' ').includes('jobs')) return response.status(403).end();
  response.set(Object.fromEntries(FIELDS)).set('x-auth-request-user', request.auth.sub).status(200).end();
});
app.use((error, _request, response, _next) => response.status(error.status ?? 500).end());
app.listen(Number(process.env.PORT), '127.0.0.1');
