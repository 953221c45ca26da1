import { serveLambda } from '../lib/adapter/lambda/serve.ts';
import { configFromEnv } from '../lib/config/options/options.ts';
import { lambdaPlatform } from '../lib/platform/lambda/platform.ts';

/** The authorizer of API Gateway, and the page with the keys of its assertions. */
export const { handler, jwks } = await serveLambda(configFromEnv(), lambdaPlatform());
