import { sleep } from '../../codec/sleep.ts';
import type { Composed } from '../../compose/authorizer.ts';
import type { Lifecycle } from '../../compose/lifecycle/life.ts';
import { createLifecycle } from '../../compose/lifecycle/lifecycle.ts';
import { authorizerSteps } from '../../compose/steps.ts';
import type { Options } from '../../config/options/options.ts';
import type { RequestContext } from '../../decision/ports.ts';
import { keySetPage } from '../../http/key-set-page.ts';
import { metadataAnswer } from '../../http/resource-metadata.ts';
import type { LambdaPlatform, LambdaRuntime } from '../../platform/lambda/platform.ts';
import { METADATA_PATH } from '../../respond/protected-resource.ts';
import { createDeferred } from '../deferred.ts';
import { AuthorizerError } from './answer.ts';
import { createLambdaDoor } from './authorizer.ts';
import { createDecisionMetrics } from './metrics.ts';

/** The init phase ends after ten seconds; a slow issuer must not use them up. */
const WARM_UP_MS = 3_000;

/** The parts of one environment: what decides, and API Gateway's way into it. */
interface Parts {
  readonly composed: Composed;
  readonly door: ReturnType<typeof createLambdaDoor>;
}

/** The functions that a Lambda runtime calls. */
export interface LambdaHandlers {
  /** The authorizer of an API Gateway API, REST or HTTP, whatever its event. */
  handler(event: unknown): Promise<unknown>;
  /** `GET /_authorizer/jwks.json` behind API Gateway: the keys that verify our identity assertions. */
  jwks(): Promise<unknown>;
  /** `GET /.well-known/oauth-protected-resource` and below it: the metadata of `TGEFD_RESOURCE` (RFC 9728), else 404. */
  metadata(): Promise<unknown>;
}

/**
 * Makes the handlers. Where nothing has to be waited for, everything is proved in the init phase, which fails on a fatal
 * problem; otherwise the first event does it, and fails.
 *
 * @param options Options written out, or `configFromEnv()`.
 * @param runtime `lambdaPlatform()`.
 * @returns The handlers of a Lambda function.
 * @throws AuthorizerError with the code `configuration_invalid`.
 * @example
 * export const { handler, jwks, metadata } = await serveLambda(configFromEnv(), lambdaPlatform());
 */
export async function serveLambda(options: Options, runtime: LambdaRuntime): Promise<LambdaHandlers> {
  const platform = runtime.open({ options, bindings: null, role: 'gateway' });
  const lifecycle = createAuthorizerLifecycle(platform);
  if (!platform.secretsElsewhere && !platform.snapshot) {
    const { composed } = await within(platform, (context) => partsOf(lifecycle, context));
    await Promise.race([composed.warm({ defer: () => undefined }), sleep(WARM_UP_MS)]);
  }
  return {
    handler: async (event) => {
      const { door } = await within(platform, (context) => partsOf(lifecycle, context));
      return door(event);
    },
    jwks: async () => {
      const { composed } = await within(platform, (context) => partsOf(lifecycle, context));
      const { status, headers, body } = await keySetPage(composed.assertions);
      return { statusCode: status, headers: Object.fromEntries(headers), body };
    },
    metadata: async () => {
      const { composed } = await within(platform, (context) => partsOf(lifecycle, context));
      const answer = composed.resource && metadataAnswer(composed.resource, 'GET', METADATA_PATH, platform.newId);
      if (answer === null) return { statusCode: 404 };
      return { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
    },
  };
}

function createAuthorizerLifecycle(platform: LambdaPlatform): Lifecycle<Parts> {
  const { log, line, functionName } = platform;
  const metrics = createDecisionMetrics(functionName, line);
  // Lambda says so where an extension runs beside the function.
  process.once('SIGTERM', () => metrics.flush());
  const steps = authorizerSteps(platform);
  return createLifecycle<Parts>(platform, {
    compose(config, before) {
      const composed = steps.compose(config, before?.composed ?? null);
      return { composed, door: createLambdaDoor(composed, { log, metrics }) };
    },
    adopt: ({ composed }, before) => steps.adopt(composed, before?.composed ?? null),
    keeper: ({ composed }) => steps.keeper(composed),
    refreshSeconds: ({ composed }) => steps.refreshSeconds(composed),
  });
}

async function partsOf(lifecycle: Lifecycle<Parts>, context: RequestContext): Promise<Parts> {
  const parts = await lifecycle.current(context);
  if (parts === null) throw new AuthorizerError('configuration_invalid');
  return parts;
}

/** Does what is put off before it returns: Lambda freezes the process behind an answer. */
async function within<T>({ log }: LambdaPlatform, work: (context: RequestContext) => Promise<T>): Promise<T> {
  const deferred = createDeferred(log);
  try {
    return await work(deferred.context);
  } finally {
    await deferred.settle();
  }
}
