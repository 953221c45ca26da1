import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { certificateFromDer } from '../../authenticate/certificate/x509.ts';
import type { Composed } from '../../compose/authorizer.ts';
import type { Lifecycle } from '../../compose/lifecycle/life.ts';
import { createLifecycle } from '../../compose/lifecycle/lifecycle.ts';
import { authorizerSteps } from '../../compose/steps.ts';
import type { Options } from '../../config/options/options.ts';
import type { Problem } from '../../config/problem.ts';
import { portFrom } from '../../config/reading/port.ts';
import { createApp } from '../../http/app.ts';
import type { NodePlatform, NodeRuntime } from '../../platform/node/platform.ts';
import { createDeferred, type Deferred } from '../deferred.ts';
import { type NodeArchive, startNodeArchive } from './archive.ts';
import { createNodeCheck } from './check.ts';
import { type NodeConsole, type OpenConsole, openNodeConsole } from './console.ts';
import { createConnectionDrain } from './drain.ts';
import { createMetricsServer } from './metrics.ts';
import { receivedOf } from './received.ts';
import { createNodeServer, type NodeBindings, rawTargetOf } from './server.ts';
import { ByteServerResponse } from './server-response.ts';
import { createUnreadable, type Unreadable } from './unreadable/unreadable.ts';
import { createUnreadableCheck } from './unreadable/unreadable-check.ts';

const DRAIN_SECONDS = 30;

/** What a process may serve beside its gateway. */
export interface Extras {
  /** @internal */
  readonly console?: OpenConsole;
}

/** One serving process: what its steps share. */
interface Process {
  readonly platform: NodePlatform;
  readonly deferred: Deferred;
  readonly lifecycle: Lifecycle<Composed>;
  readonly unreadable: Unreadable;
  archive: NodeArchive | null;
  draining: boolean;
}

/**
 * Serves on `HOST` and `PORT` until SIGTERM or SIGINT, then lets requests end, records become durable, and the process
 * exit. Listens only once everything is proved; a fatal problem ends the process before that.
 *
 * @param options Options written out, or `configFromEnv()`.
 * @param runtime `nodePlatform()`.
 * @param extras What this process serves besides: the console, where `TGEFD_CONSOLE_PORT` is given.
 * @returns Resolves once the server listens.
 * @example
 * await serveNode(configFromEnv(), nodePlatform());
 */
export async function serveNode(options: Options, runtime: NodeRuntime, extras: Extras = {}): Promise<void> {
  const platform = runtime.open({ options, bindings: null, role: 'gateway' });
  const port = portFrom(platform.env.PORT);
  if (typeof port !== 'number') return platform.fatal([port]);
  const host = platform.env.HOST ?? '127.0.0.1';
  const own = createProcess(platform);
  if ((await own.lifecycle.ready(own.deferred.context)) !== null) return;
  const composed = own.lifecycle.serving();
  if (composed === null) return;

  const { metricsPort, consolePort, consoleHost } = composed.config.settings;
  if (consolePort !== null && extras.console === undefined) return platform.fatal([consoleProblem(consolePort)]);
  const server = openServer(own, composed);
  const operators = consolePort === null || !extras.console ? null : await openOperators(own, composed, extras.console);
  const metricsServer = metricsPort === null ? null : createMetricsServer(() => serving(own).metricsPage());
  stopOnSignals(own, server, metricsServer, operators);
  const reopen = platform.reopenFiles(composed.config);
  // Without a file to reopen, a terminal that closes ends the process, as it ends others.
  if (reopen !== null) process.on('SIGHUP', reopen);
  void composed.warm(own.deferred.context);
  if (operators !== null)
    listen(platform, operators.server, { port: consolePort ?? 0, host: consoleHost }, () => {
      const bound = (operators.server.address() as AddressInfo).port;
      platform.log('info', 'console_listening', { host: consoleHost, port: bound });
    });
  if (metricsServer !== null) listen(platform, metricsServer, { port: metricsPort ?? 0, host });
  listen(platform, server, { port, host }, () => {
    const bound = (server.address() as AddressInfo).port;
    platform.log('info', 'listening', { host, port: bound, auth_mode: composed.config.authMode });
  });
}

function createProcess(platform: NodePlatform): Process {
  const deferred = createDeferred(platform.log);
  const unreadable = createUnreadable(platform);
  const steps = authorizerSteps(platform);
  const lifecycle = createLifecycle<Composed>(platform, {
    ...steps,
    adopt(composed, before) {
      steps.adopt(composed, before);
      composed.metrics.counterOf(
        'tgefd_requests_unreadable_total',
        'Requests that the parser refused, that stalled, or that have an unsupported Expect field.',
        unreadable.count,
      );
      // What the archive is about goes on to its end; the old value of a secret must not wait for that.
      if (own.archive) deferred.context.defer(own.archive.stop());
      own.archive = own.draining ? null : archiveOf(platform, composed);
    },
  });
  const own: Process = { platform, deferred, lifecycle, unreadable, archive: null, draining: false };
  return own;
}

function archiveOf(platform: NodePlatform, { config, outbox }: Composed): NodeArchive | null {
  const { clock, stopwatch, newId, log } = platform;
  return startNodeArchive(config, { outbox, ...platform.cloud(config), clock, stopwatch, newId, log });
}

/** The parts that serve. They exist from before the server listens until the process ends. */
function serving({ lifecycle }: Process): Composed {
  const composed = lifecycle.serving();
  if (composed === null) throw new Error('served before it was ready');
  return composed;
}

function openServer(own: Process, { config }: Composed) {
  const { platform, deferred, lifecycle } = own;
  const { newId } = platform;
  const { context } = deferred;
  const app = createApp<NodeBindings>({
    composed: () => lifecycle.serving(),
    ready: () => !own.draining,
    rawTarget: (_request, { incoming }) => rawTargetOf(incoming),
    newId,
    received: (_request, { incoming, outgoing }) => ({
      ...receivedOf(incoming, rawTargetOf(incoming), context),
      whenAnswered: (done) => void outgoing.once('close', done),
      whenForwarded: (answer) => {
        if (outgoing instanceof ByteServerResponse) outgoing.forwarded = answer;
      },
    }),
  });
  const check = createNodeCheck({
    composed: () => lifecycle.serving(),
    received: (incoming, target) => receivedOf(incoming, target, context),
  });
  return createNodeServer(app, check, platform.serverTls(config), serverParts(own, config));
}

function serverParts({ platform, unreadable, lifecycle, deferred }: Process, { settings }: Composed['config']) {
  return {
    log: platform.log,
    unreadable,
    answerUnreadable: createUnreadableCheck(() => lifecycle.serving(), deferred.context),
    idleTimeoutMs: settings.idleTimeoutSeconds * 1000,
    readCertificate: certificateFromDer,
  };
}

function openOperators(own: Process, composed: Composed, open: OpenConsole): Promise<NodeConsole> {
  const { platform, deferred, lifecycle } = own;
  const host = { platform, context: deferred.context, composed: () => lifecycle.serving() };
  return openNodeConsole(open, host, composed, serverParts(own, composed.config));
}

function consoleProblem(port: number): Problem {
  return { variable: 'TGEFD_CONSOLE_PORT', found: String(port), accepted: 'nothing: this process brings no console' };
}

function stopOnSignals(
  own: Process,
  server: ReturnType<typeof openServer>,
  metricsServer: Server | null,
  operators: NodeConsole | null,
): void {
  const { log } = own.platform;
  const drain = createConnectionDrain(server);
  const stop = () => {
    if (own.draining) return;
    own.draining = true;
    log('info', 'draining', { seconds: DRAIN_SECONDS });
    setTimeout(() => process.exit(1), DRAIN_SECONDS * 1000).unref();
    void Promise.all([drain(), operators?.stop()]).then(async () => {
      await own.lifecycle.close();
      await own.archive?.stop();
      await own.deferred.settle();
      log('info', 'stopped');
      process.exit(0);
    });
    metricsServer?.close();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function listen(
  { log }: NodePlatform,
  server: Pick<Server, 'once' | 'listen'>,
  { port, host }: { readonly port: number; readonly host: string },
  listening: () => void = () => {},
): void {
  server.once('error', (error: Error) => {
    log('error', 'cannot_listen', { error: (error as { code?: string }).code ?? error.name });
    process.exit(1);
  });
  server.listen(port, host, listening);
}
