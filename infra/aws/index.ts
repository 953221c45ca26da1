/** The edge authorizer for AWS CDK apps: attach it to an API of your own. */
export { EdgeAuthorizer, type EdgeAuthorizerProps } from './edge-authorizer.ts';
export { type GatewayResponseText, gatewayResponses } from './gateway-responses.ts';
export type { ApiRoute } from './routes.ts';
export type { ApiKind } from './settings.ts';
