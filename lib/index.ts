/**
 * `tgefd-authorizer`: decides for every HTTP request who calls, whether they may, and whether they may now, inside an
 * application of your own. Importing it has no effect by itself.
 *
 * @module
 */

export {
  type Authorizer,
  type AuthorizerPlatform,
  createAuthorizer,
} from './adapter/library/authorizer.ts';
export { AuthorizerClosedError } from './adapter/library/closed-error.ts';
export type { AuthorizedPrincipal, AuthorizerDecision } from './adapter/library/decision.ts';
export type { Connection } from './adapter/library/received.ts';
export { ConfigurationError } from './config/options/configuration-error.ts';
export {
  configFromEnv,
  type EndpointOption,
  EnvironmentOptions,
  type Options,
  type SecretOption,
  type WrittenOptions,
} from './config/options/options.ts';
export type { Problem } from './config/problem.ts';
export { type WebRuntime, webPlatform } from './platform/web/platform.ts';
