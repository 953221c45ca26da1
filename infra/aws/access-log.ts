/**
 * One line of API Gateway's access log: what happened and the way to the audit record, no query, no credential, no identity.
 * `authorizer.decisionId` is the record's id.
 */
export const accessLogFormat = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  method: '$context.httpMethod',
  route: '$context.resourcePath$context.routeKey',
  status: '$context.status',
  decisionId: '$context.authorizer.decisionId',
  denialCode: '$context.authorizer.denialCode',
  authorizerError: '$context.authorizer.error',
  authorizerLatency: '$context.authorizer.latency',
  integrationStatus: '$context.integration.status',
  latency: '$context.responseLatency',
});
