import { createUlids } from '../../codec/ulid.ts';
import type { Composed } from '../../compose/authorizer.ts';
import type { Lifecycle } from '../../compose/lifecycle/life.ts';
import { createLifecycle } from '../../compose/lifecycle/lifecycle.ts';
import { authorizerSteps } from '../../compose/steps.ts';
import type { Options } from '../../config/options/options.ts';
import type { RequestContext } from '../../decision/ports.ts';
import { after } from '../../decision/steps.ts';
import { createApp } from '../../http/app.ts';
import { checkOf } from '../../http/forward-auth.ts';
import { webAnswer } from '../../http/web-response.ts';
import type { WorkersRuntime } from '../../platform/workers/platform.ts';
import { contextOf, messageOf, receivedOf, targetOf } from './request.ts';

/** Variables and bindings of a Worker. */
type Bindings = Readonly<Record<string, unknown>>;

/** What a Worker's execution context is used for. */
interface Execution {
  waitUntil(promise: Promise<unknown>): void;
}

/** The handlers of a Worker module. */
export interface WorkerHandlers<Env extends object> {
  fetch(request: Request, env: Env, execution: Execution): Response | Promise<Response>;
}

/**
 * Makes the handlers of a Worker: the gateway and the forward-auth ways in. A proxy's check is answered ahead of the
 * router, which would cost more than the decision. Until the configuration is valid, every answer is a 503.
 *
 * @param options Options written out, or `configFromEnv()` for the Worker's own variables.
 * @param runtime `workersPlatform()`.
 * @returns The default export of a Worker module.
 * @example
 * export default serveWorker(configFromEnv(), workersPlatform());
 */
export function serveWorker(options: Options, runtime: WorkersRuntime): WorkerHandlers<Bindings> {
  let lifecycle: Lifecycle<Composed> | null = null;
  const current = (env: Bindings, context: RequestContext) => {
    if (lifecycle === null) {
      const platform = runtime.open({ options, bindings: env, role: 'gateway' });
      lifecycle = createLifecycle(platform, authorizerSteps(platform));
    }
    return lifecycle.current(context);
  };

  const app = createApp<Bindings>({
    composed: (env, c) => current(env, contextOf(c.executionCtx)),
    rawTarget: ({ url }) => targetOf(url),
    newId: createUlids(() => Date.now()),
    ready: () => true,
    received: (request, _env, c) => receivedOf(request, c.executionCtx),
  });

  return {
    fetch(request, env, execution) {
      const { url } = request;
      const serving = lifecycle?.serving();
      const check = serving && checkOf(serving.forwardAuth, targetOf(url));
      if (!check) return app.fetch(request, env, execution as never);
      const context = contextOf(execution);
      current(env, context);
      const access = { ...messageOf(request, url), door: 'gateway', method: request.method } as const;
      return after(check(access, context), webAnswer);
    },
  };
}
