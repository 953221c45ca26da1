import type { Composed } from '../../compose/authorizer.ts';
import type { Lifecycle } from '../../compose/lifecycle/life.ts';
import { createLifecycle } from '../../compose/lifecycle/lifecycle.ts';
import type { GatewayPlatform } from '../../compose/runtime.ts';
import { authorizerSteps } from '../../compose/steps.ts';
import { ConfigurationError } from '../../config/options/configuration-error.ts';
import { type Opening, type Options, optionProblem } from '../../config/options/options.ts';
import type { Problem } from '../../config/problem.ts';
import type { RequestContext } from '../../decision/ports.ts';
import { createApp } from '../../http/app.ts';
import { decide } from '../../http/decided.ts';
import { webAnswer, webResponse } from '../../http/web-response.ts';
import { webPlatform } from '../../platform/web/platform.ts';
import { denialAnswer } from '../../respond/denial.ts';
import { createDeferred, type Deferred } from '../deferred.ts';
import { AuthorizerClosedError } from './closed-error.ts';
import { type AuthorizerDecision, decisionFor } from './decision.ts';
import { accessOf, type Connection } from './received.ts';

/** What an authorizer runs on: `nodePlatform()`, `workersPlatform()`, `lambdaPlatform()` or `webPlatform()`. */
export interface AuthorizerPlatform {
  /** Its name, for logs of your own. */
  readonly runtime: string;
  /** @internal */
  open(opening: Opening): GatewayPlatform;
}

/** An authorizer inside an application. */
export interface Authorizer {
  /**
   * Decides one request: who calls, whether they may, and whether they may now.
   *
   * @throws ConfigurationError while the configuration is invalid, AuthorizerClosedError after `close`.
   */
  decide(request: Request, connection?: Connection): Promise<AuthorizerDecision>;
  /** Answers as the gateway does: forwards what is allowed to `upstreamUrl`, and serves the pages below `/_authorizer/`. */
  fetch(request: Request, connection?: Connection): Promise<Response>;
  /** Answers the question of the proxy that `forwardAuth` names: 200 with the identity, or the denial. */
  check(request: Request, connection?: Connection): Promise<Response>;
  /** Makes everything ready ahead of the first request. Null: it is; otherwise every problem of the configuration. */
  ready(): Promise<readonly Problem[] | null>;
  /** Reads secrets again now. Null: they are in force; otherwise why those of before stay. */
  renew(): Promise<readonly Problem[] | null>;
  /** Decides nothing any more, and waits for records and deliveries that were put off. */
  close(): Promise<void>;
}

/** One authorizer: what its methods share. */
interface Own {
  readonly options: Options;
  readonly platform: GatewayPlatform;
  readonly lifecycle: Lifecycle<Composed>;
  readonly deferred: Deferred;
  closed: boolean;
}

/**
 * Makes an authorizer for an application. Nothing is read, checked or called before the first request or `ready()`.
 *
 * @param options Options written out, or `configFromEnv(env)`.
 * @param platform The runtime it is on; left out: any runtime with the web's APIs.
 * @param bindings A Worker's `env`, so that its bindings count.
 * @returns The authorizer. One is enough for a process or an isolate.
 * @example
 * const own = createAuthorizer(configFromEnv(), nodePlatform());
 * const problems = await own.ready();
 * if (problems !== null) throw new ConfigurationError(problems);
 * const decision = await own.decide(request, { peerAddress: socket.remoteAddress });
 * if (!decision.allowed) return decision.response();
 */
export function createAuthorizer(
  options: Options,
  platform: AuthorizerPlatform = webPlatform(),
  bindings: Opening['bindings'] = null,
): Authorizer {
  const opened = platform.open({ options, bindings, role: 'library' });
  const lifecycle = createLifecycle(opened, authorizerSteps(opened));
  const own: Own = { options, platform: opened, lifecycle, deferred: createDeferred(opened.log), closed: false };
  const app = createApp<{ readonly connection: Connection }>({
    composed: (_, c) => lifecycle.current(contextOf(own, c.env.connection)),
    ready: () => !own.closed,
    rawTarget: (request, { connection }) => accessOf(request, connection, 'gateway').target,
    newId: opened.newId,
    received: (request, { connection }) => ({
      ...accessOf(request, connection, 'gateway'),
      context: contextOf(own, connection),
    }),
  });
  const authorizer: Authorizer = {
    decide: (request, connection = {}) => decideFor(own, request, connection),
    fetch: async (request, connection = {}) => {
      if (own.closed) throw new AuthorizerClosedError();
      return app.fetch(request, { connection });
    },
    check: (request, connection = {}) => checkFor(own, request, connection),
    ready: async () => outcomeFor(own, await lifecycle.ready(own.deferred.context)),
    renew: async () => outcomeFor(own, await lifecycle.renew()),
    close: async () => {
      own.closed = true;
      await lifecycle.close();
      await own.deferred.settle();
    },
  };
  owners.set(authorizer, own);
  return authorizer;
}

const owners = new WeakMap<Authorizer, Own>();

/** The answer to a CORS preflight, which is never decided upon; null for every other request. */
export async function answerPreflight(
  authorizer: Authorizer,
  request: Request,
  connection: Connection,
): Promise<Response | null> {
  const own = owners.get(authorizer);
  if (own === undefined || request.method !== 'OPTIONS') return null;
  const { cors } = await partsOf(own, contextOf(own, connection));
  const fields = cors.preflight(accessOf(request, connection, 'library'));
  return fields && webResponse(204, fields, null);
}

function contextOf({ deferred }: Own, connection: Connection): RequestContext {
  if (!connection.waitUntil) return deferred.context;
  return { defer: (promise) => connection.waitUntil?.(promise) };
}

function outcomeFor({ options }: Own, problems: readonly Problem[] | null): readonly Problem[] | null {
  return problems?.map((problem) => optionProblem(options, problem)) ?? null;
}

/** The parts that decide. Throws where there are none. */
async function partsOf(own: Own, context: RequestContext): Promise<Composed> {
  if (own.closed) throw new AuthorizerClosedError();
  const composed = await own.lifecycle.current(context);
  if (composed !== null) return composed;
  throw new ConfigurationError(outcomeFor(own, own.lifecycle.problems()) ?? []);
}

async function decideFor(own: Own, request: Request, connection: Connection): Promise<AuthorizerDecision> {
  const context = contextOf(own, connection);
  const { gateway, cors } = await partsOf(own, context);
  const access = accessOf(request, connection, 'library');
  const decided = await decide(gateway, access, context);
  return decisionFor(decided, gateway.rateLimitFields(decided.decision), cors.fields(access));
}

async function checkFor(own: Own, request: Request, connection: Connection): Promise<Response> {
  const context = contextOf(own, connection);
  const { forwardAuth } = await partsOf(own, context);
  if (forwardAuth !== null)
    return webAnswer(await forwardAuth.check(accessOf(request, connection, 'gateway'), context));
  const told = { requestId: own.platform.newId(), authMethod: 'none' } as const;
  return webAnswer(denialAnswer({ reason: 'endpoint_unknown' }, told));
}
