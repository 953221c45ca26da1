import { serveLambda } from '../lib/adapter/lambda/serve.ts';
import { lambdaPlatform } from '../lib/platform/lambda/platform.ts';

/** The authorizer of API Gateway, and the page with the keys of its assertions. */
export const { handler, jwks } = await serveLambda(lambdaPlatform(process.env));
