/**
 * `tgefd-authorizer/lambda`: the handlers of an authorizer function behind API Gateway, REST or HTTP.
 *
 * @module
 */

export { AuthorizerError } from './adapter/lambda/answer.ts';
export { type LambdaHandlers, serveLambda } from './adapter/lambda/serve.ts';
export { configFromEnv, type Options, type WrittenOptions } from './config/options/options.ts';
export { type LambdaRuntime, lambdaPlatform } from './platform/lambda/platform.ts';
