/**
 * Lambda authorizers as their documentation has them: an HTTP API 2.0 event in, an IAM policy out, and no more than the token
 * verified in between. Each throws what it refuses.
 */
import middy from '@middy/core';
import { verifiers } from './verifiers.mjs';

const tokenOf = (event) => {
  const [scheme, token] = event.headers.authorization.split(' ');
  if (scheme !== 'Bearer' || token === undefined) throw new Error('Unauthorized');
  return token;
};

const policyFor = (principalId, event) => ({
  principalId,
  policyDocument: {
    Version: '2012-10-17',
    Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.routeArn }],
  },
  context: { subject: principalId },
});

const handlerOf = (verify) => async (event) => {
  const verified = await verify(tokenOf(event));
  return policyFor((verified.payload ?? verified).sub, event);
};

export const authorizers = async (facts) => {
  const byName = await verifiers(facts);
  const made = Object.fromEntries(Object.entries(byName).map(([name, verify]) => [name, handlerOf(verify)]));
  const lambda = middy(handlerOf(byName['aws-jwt-verify']));
  return { ...made, 'aws-jwt-verify under middy': (event) => lambda(event, {}) };
};
