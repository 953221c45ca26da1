import { readFile } from 'node:fs/promises';
import { sleep } from '../../codec/sleep.ts';
import { createUlids } from '../../codec/ulid.ts';
import { egressTargets } from '../../config/egress.ts';
import type { Config } from '../../config/load.ts';
import { environmentOf, type Opening } from '../../config/options/options.ts';
import { type Problem, problemLine } from '../../config/problem.ts';
import type { Place } from '../../config/rules/check.ts';
import { internalTlsProblems } from '../../config/rules/internal-tls.ts';
import type { Log } from '../../decision/ports.ts';
import { composeEgress, createEgressWatch, type EgressWatch } from '../../egress/watch.ts';
import { cloudCredentials } from '../cloud/credentials.ts';
import { lazyS3Spill } from '../cloud/lazy-spill.ts';
import { type AuditLines, auditLinesOf, auditLogProblems, stdoutLine } from './audit-line.ts';
import { hmacOnNode, verifyOnNode } from './crypto.ts';
import { createNodeEgress, type NodeEgress } from './egress.ts';
import { createNodeFetch } from './fetch.ts';
import { watchFiles } from './files/watch-files.ts';
import { createNodeRedisExchange } from './redis.ts';
import { redisOverTcp } from './redis-tcp/open.ts';
import { createNodeSecrets } from './secrets.ts';
import { createStreamLog, lostLines, writeLine } from './standard-streams.ts';
import { authorityProblems, chainVerifierOf } from './tls/client-chain.ts';
import { identifyConnections } from './tls/client-connections.ts';
import { createClientTls } from './tls/client-tls.ts';
import { readServerTls, type ServerTls, serverTlsProblems } from './tls/server-tls.ts';
import { createNodeUpstream } from './upstream.ts';

type Env = Readonly<Record<string, string | undefined>>;

const MAXIMUM_UPSTREAM_SOCKETS = 1024;

function clock(): number {
  return Date.now();
}

function stopwatch(): number {
  return performance.now();
}

const log: Log = createStreamLog(process);

/** Prints one line per problem, then exits: a process that is half configured never listens. */
function exitWith(problems: readonly Problem[]): void {
  writeLine(process.stderr, 'configuration invalid:');
  for (const problem of problems) writeLine(process.stderr, `  ${problemLine(problem)}`);
  process.exit(1);
}

/** Logs the problems: an application decides by itself what becomes of its process. */
function sayInvalid(problems: readonly Problem[]): void {
  for (const problem of problems) log('error', 'configuration_invalid', { problem: problemLine(problem) });
}

/** Node, as `nodePlatform()` describes it. */
export interface NodeRuntime {
  readonly runtime: 'node';
  /** @internal */
  open(opening: Opening): NodePlatform;
}

/**
 * A Node process that was opened for one authorizer.
 *
 * @internal
 */
export type NodePlatform = ReturnType<typeof openNode>;

/**
 * Node: sockets whose every connection is checked against the configuration, Node's own cryptography, secrets in mounted
 * files and in Vault. Secrets are read again when a file changes and in each interval.
 *
 * @returns A platform for `createAuthorizer`, `serveNode` and the middleware of `tgefd-authorizer/hono`.
 * @example
 * const own = createAuthorizer(configFromEnv(), nodePlatform());
 */
export function nodePlatform(): NodeRuntime {
  return {
    runtime: 'node',
    open: ({ options, role }: Opening) =>
      openNode(environmentOf(options, process.env) as Env, role, role === 'gateway' ? exitWith : sayInvalid),
  };
}

/** Opens the process: promises are shared, and a timer looks for new secrets. */
function openNode(env: Env, role: Place['role'], fatal: (problems: readonly Problem[]) => void) {
  const place: Place = { platform: 'node', role, upstreamBinding: false, bucketBinding: false };
  const newId = createUlids(clock);
  const watch = createEgressWatch(log);
  const clientTls = createClientTls(env);
  const identify = identifyConnections(clientTls);
  const secrets = createNodeSecrets(env, { stopwatch, log, watch, identify });
  let sockets: Sockets | null = null;
  const socketsFor = (config: Config): Sockets => {
    if (sockets === null) clientTls.watch(log);
    sockets ??= openSockets(config, env, watch, identify);
    return sockets;
  };
  return {
    place,
    env,
    clock,
    stopwatch,
    newId,
    log,
    sharePromises: true,
    secrets: secrets.elsewhere ? secrets : null,
    renewal: {
      by: 'timer',
      start: (intervalMs: number, look: () => void) => watchSecrets(secrets.files, intervalMs, look),
    },
    component: 'node',
    accessLine: (text: string) => (sockets === null ? stdoutLine : sockets.auditLines.write)?.(text),
    problemsOf: (config: Config | null) => [
      ...clientTls.problems,
      ...(config === null
        ? []
        : [
            ...internalTlsProblems(config.settings),
            ...serverTlsProblems(config.settings),
            ...authorityProblems(config.settings),
            ...auditLogProblems(config.settings),
          ]),
    ],
    fatal,
    runtime: (config: Config) => nodeRuntime(config, socketsFor(config), newId, watch),
    serverTls: ({ settings }: Config): ServerTls | null => {
      const tls = readServerTls(settings);
      return tls !== null && 'first' in tls ? tls : null;
    },
    /** Opens the file of audit lines anew; null where there is none. */
    reopenFiles: ({ settings }: Config) => (settings.auditLogPath === null ? null : () => sockets?.auditLines.reopen()),
    /** Connections and credentials for the bucket of a configuration. */
    cloud: (config: Config) => {
      const { egress } = socketsFor(config);
      return { egress, cloud: credentialsOf(config, egress, newId, watch) };
    },
  } as const;
}

/** What is opened once in a process, whatever its secrets are. */
interface Sockets {
  readonly egress: NodeEgress;
  readonly auditLines: AuditLines;
  readonly upstream: ReturnType<typeof createNodeUpstream> | null;
  readonly redisExchange: ReturnType<typeof createNodeRedisExchange> | null;
  readonly redisOverTcp: ReturnType<typeof redisOverTcp>;
}

function openSockets(
  config: Config,
  env: Env,
  watch: EgressWatch,
  identify: ReturnType<typeof identifyConnections>,
): Sockets {
  const { settings } = config;
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? null;
  const egress = createNodeEgress(egressTargets(settings, region), watch.note, { identify });
  const { upstreamUrl, redisUrl } = settings;
  const maximumSockets = MAXIMUM_UPSTREAM_SOCKETS;
  return {
    egress,
    auditLines: auditLinesOf(settings, log),
    upstream: upstreamUrl ? createNodeUpstream(upstreamUrl, { egress, maximumSockets }) : null,
    redisExchange: redisUrl ? createNodeRedisExchange(redisUrl, egress, watch.note) : null,
    redisOverTcp: redisOverTcp(settings, egress),
  };
}

function nodeRuntime(config: Config, sockets: Sockets, newId: () => string, watch: EgressWatch) {
  const { egress, auditLines, upstream } = sockets;
  return {
    clock,
    stopwatch,
    newId,
    log,
    fetch: createNodeFetch(egress),
    egressWatch: watch,
    random: () => Math.random(),
    sleep,
    sharePromises: true,
    cryptography: { verify: verifyOnNode, hmac: hmacOnNode },
    verifyChain: chainVerifierOf(config.settings, clock),
    sharedKeySets: null,
    readFile: (path: string) => readFile(path, 'utf8'),
    upstream,
    auditLine: auditLines.write,
    linesLost: () => auditLines.lost() + lostLines(),
    spill: lazyS3Spill(config.settings, { clock, stopwatch }, egress, credentialsOf(config, egress, newId, watch)),
    redisExchange: sockets.redisExchange,
    redisOverTcp: sockets.redisOverTcp,
  };
}

function credentialsOf(config: Config, egress: NodeEgress, newId: () => string, watch: EgressWatch) {
  const fetch = composeEgress(config.settings, { fetch: createNodeFetch(egress), watch });
  return cloudCredentials(config, { fetch, clock, stopwatch, newId, sharePromises: true });
}

/** Calls `look` when a file changes and in each interval; an interval of 0 turns both off. */
function watchSecrets(files: readonly string[], intervalMs: number, look: () => void): () => void {
  if (intervalMs === 0) return () => {};
  const unwatch = watchFiles(files, look);
  const timer = setInterval(look, intervalMs).unref();
  return () => {
    unwatch();
    clearInterval(timer);
  };
}
