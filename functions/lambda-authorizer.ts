import { serveLambda } from '../lib/adapter/lambda/serve.ts';
import { configFromEnv } from '../lib/config/options/options.ts';
import { lambdaPlatform } from '../lib/platform/lambda/platform.ts';

/** The authorizer of API Gateway, the page with the keys of its assertions, and the metadata of the protected resource. */
export const { handler, jwks, metadata } = await serveLambda(configFromEnv(), lambdaPlatform());
