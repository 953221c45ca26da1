import type { ExecutionContext } from '@cloudflare/workers-types';
import { createUlids } from '../../codec/ulid.ts';
import type { Composed } from '../../compose/authorizer.ts';
import type { Lifecycle } from '../../compose/life.ts';
import { createLifecycle } from '../../compose/lifecycle.ts';
import type { GatewayPlatform } from '../../compose/runtime.ts';
import { authorizerSteps } from '../../compose/steps.ts';
import type { RequestContext } from '../../decision/ports.ts';
import { createApp } from '../../http/app.ts';
import { checkOf } from '../../http/forward-auth.ts';
import { webAnswer } from '../../http/web-response.ts';
import { contextOf, receivedOf, targetOf } from './request.ts';

/** The handlers of a Worker module. */
export interface WorkerHandlers<Env extends object> {
  fetch(request: Request, env: Env, execution: ExecutionContext): Response | Promise<Response>;
}

/** Serves a Worker: the app, with the proxies' check ahead of it, since a router would cost more than the decision. */
export function serveWorker<Env extends object>(open: (env: Env) => GatewayPlatform): WorkerHandlers<Env> {
  let lifecycle: Lifecycle<Composed> | null = null;
  const current = (env: Env, context: RequestContext) => {
    if (lifecycle === null) {
      const platform = open(env);
      lifecycle = createLifecycle(platform, authorizerSteps(platform));
    }
    return lifecycle.current(context);
  };

  const app = createApp<Env>({
    composed: (env, c) => current(env, contextOf(c.executionCtx)),
    rawTarget: ({ url }) => targetOf(url),
    newId: createUlids(() => Date.now()),
    ready: () => true,
    received: (request, _env, c) => receivedOf(request, targetOf(request.url), contextOf(c.executionCtx)),
  });

  return {
    fetch(request, env, execution) {
      const target = targetOf(request.url);
      const serving = lifecycle?.serving();
      const check = serving && checkOf(serving.forwardAuth, target);
      if (!check) return app.fetch(request, env, execution as never);
      const context = contextOf(execution);
      current(env, context);
      const { context: _, ...received } = receivedOf(request, target, context);
      return check({ door: 'gateway', method: request.method, ...received }, context).then(webAnswer);
    },
  };
}
