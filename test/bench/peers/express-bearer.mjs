/** express with express-oauth2-jwt-bearer. */
import express from 'express';
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer';
import { FIELDS } from './fields.mjs';

const { issuer, audience, keySetUrl } = JSON.parse(process.env.BENCH);
const app = express();
app.get(
  '/_authorizer/check',
  auth({ issuer, audience, jwksUri: keySetUrl, tokenSigningAlg: 'RS256' }),
  requiredScopes('jobs'),
  (request, response) => {
    response.set(Object.fromEntries(FIELDS)).set('x-auth-request-user', request.auth.payload.sub).status(200).end();
  },
);
app.use((error, _request, response, _next) => response.status(error.status ?? 500).end());
app.listen(Number(process.env.PORT), '127.0.0.1');
