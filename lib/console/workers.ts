import { receivedOf, targetOf } from '../adapter/workers/request.ts';
import type { WorkerHandlers } from '../adapter/workers/serve.ts';
import { sleep } from '../codec/sleep.ts';
import { createLifecycle } from '../compose/lifecycle/lifecycle.ts';
import { authorizerSteps } from '../compose/steps.ts';
import type { Options } from '../config/options/options.ts';
import type { WorkersRuntime } from '../platform/workers/platform.ts';
import { createR2Store, type R2Binding } from '../storage/r2.ts';
import { createConsole } from './app.tsx';
import { openedArchive } from './audit/archive.ts';

/** Variables and bindings of the console's Worker. */
interface ConsoleBindings {
  readonly [variable: string]: unknown;
  readonly AUDIT_BUCKET?: R2Binding;
  readonly AUDIT_ANCHOR_BUCKET?: R2Binding;
}

/**
 * Makes the handlers of the console's Worker. It is configured like the gateway and composes the same parts, so that the
 * same pipeline decides about operators.
 */
export function serveConsole(options: Options, runtime: WorkersRuntime): WorkerHandlers<ConsoleBindings> {
  let app: ReturnType<typeof openConsole> | null = null;
  return {
    fetch(request, env, execution) {
      app ??= openConsole(options, runtime, env);
      return app.fetch(request, env, execution as never);
    },
  };
}

/** The console of one isolate: plain data only, which every request may use. Browsers ask again and again what is new. */
function openConsole(options: Options, runtime: WorkersRuntime, bindings: ConsoleBindings) {
  const platform = runtime.open({ options, bindings, role: 'console' });
  const lifecycle = createLifecycle(platform, authorizerSteps(platform));
  return createConsole<ConsoleBindings>({
    composed: (_bindings, context) => lifecycle.current(context),
    rawTarget: ({ url }) => targetOf(url),
    received: (request, _bindings, c) => receivedOf(request, c.executionCtx),
    archive: async (config, { AUDIT_BUCKET: bucket, AUDIT_ANCHOR_BUCKET: anchors }) =>
      openedArchive(config, {
        store: bucket ? createR2Store(bucket) : null,
        copies: anchors ? createR2Store(anchors) : null,
      }),
    live: 'polling',
    clock: platform.clock,
    newId: platform.newId,
    sleep,
    stopping: { aborted: false },
  });
}
