import { integer, oneOf } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “API Gateway” of the configuration. */
export const apiGateway = {
  authorizerResponse: setting({
    name: 'TGEFD_AUTHORIZER_RESPONSE',
    only: 'lambda',
    kind: oneOf('simple', 'iam'),
    fallback: 'simple',
    meaning:
      'What an HTTP API with payload 2.0 expects from its authorizer; the event does not say. Every other API always gets a policy.',
  }),
  authorizerTtlSeconds: setting({
    name: 'TGEFD_AUTHORIZER_TTL_SEC',
    only: 'lambda',
    kind: integer(0, 3600, 'seconds'),
    fallback: 0,
    meaning:
      'How long API Gateway caches an answer: the same value as in API Gateway. Revocation, limits and audit do not see requests that the cache answers.',
  }),
} as const;
