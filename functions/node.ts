import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { startNodeArchive } from '../lib/adapter/node/archive.ts';
import { createNodeCheck } from '../lib/adapter/node/check.ts';
import { createConnectionDrain } from '../lib/adapter/node/drain.ts';
import { createMetricsServer } from '../lib/adapter/node/metrics.ts';
import { createNodeServer, type NodeBindings, rawTargetOf } from '../lib/adapter/node/server.ts';
import { clientOf, readServerTls } from '../lib/adapter/node/tls.ts';
import { createAccessRecords } from '../lib/audit/secret-access-records.ts';
import { certificateFromDer } from '../lib/authenticate/certificate/x509.ts';
import { sleep } from '../lib/codec/sleep.ts';
import { createUlids } from '../lib/codec/ulid.ts';
import { type Composed, compose } from '../lib/compose/authorizer.ts';
import { startSecretRefresh } from '../lib/compose/secret-refresh.ts';
import { egressTargets } from '../lib/config/egress.ts';
import { internalTlsProblems } from '../lib/config/internal-tls.ts';
import { type Config, loadConfig } from '../lib/config/load.ts';
import { type Problem, problemLine } from '../lib/config/problem.ts';
import type { Resolved } from '../lib/config/sources.ts';
import type { Log } from '../lib/decision/ports.ts';
import { composeEgress, createEgressWatch } from '../lib/egress/watch.ts';
import { createApp, type Received } from '../lib/http/app.ts';
import { cloudCredentials } from '../lib/platform/cloud/credentials.ts';
import { lazyS3Spill } from '../lib/platform/cloud/lazy-spill.ts';
import { hmacOnNode, verifyOnNode } from '../lib/platform/node/crypto.ts';
import { createNodeEgress } from '../lib/platform/node/egress.ts';
import { createNodeFetch } from '../lib/platform/node/fetch.ts';
import { createNodeRedisExchange } from '../lib/platform/node/redis.ts';
import { createNodeSecrets } from '../lib/platform/node/secrets.ts';
import { identifyConnections } from '../lib/platform/node/tls/client-connections.ts';
import { createClientTls } from '../lib/platform/node/tls/client-tls.ts';
import { createNodeUpstream } from '../lib/platform/node/upstream.ts';
import { rawFields } from '../lib/request/raw-fields.ts';

const drainSeconds = 30;
function clock() {
  return Date.now();
}
const awsRegion = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? null;
const newId = createUlids(clock);
const log: Log = (level, event, facts) => {
  const line = JSON.stringify({ type: 'log', ts: new Date().toISOString(), level, event, ...facts });
  (level === 'info' ? process.stdout : process.stderr).write(`${line}\n`);
};

/** Says every problem in a line of its own and ends: a process that is half configured never listens. */
function refuse(problems: readonly Problem[]): never {
  process.stderr.write('configuration invalid:\n');
  for (const problem of problems) process.stderr.write(`  ${problemLine(problem)}\n`);
  process.exit(1);
}

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;

function configure({ env, problems }: Resolved): Config {
  const loaded = loadConfig(env, place);
  if (problems.length > 0) return refuse([...problems, ...(loaded.ok ? [] : loaded.problems)]);
  if (!loaded.ok) return refuse(loaded.problems);
  const further = internalTlsProblems(loaded.config.settings);
  if (further.length > 0) return refuse(further);
  for (const warning of loaded.warnings) log('warn', 'configuration', { problem: problemLine(warning) });
  return loaded.config;
}

function accessLine(text: string) {
  return void process.stdout.write(`${text}\n`);
}
const accessParts = { component: 'node', clock, newId, log } as const;

function integerFrom(name: string, fallback: number, maximum: number): number {
  const text = process.env[name];
  if (text === undefined) return fallback;
  if (/^\d{1,5}$/.test(text) && Number(text) <= maximum) return Number(text);
  return refuse([{ variable: name, found: JSON.stringify(text), accepted: `a whole number up to ${maximum}` }]);
}

/** Everything deferred behind an answer, so that a drain can wait for it. */
const pending = new Set<Promise<unknown>>();
const context = {
  defer: (promise: Promise<unknown>) => {
    const settled = promise.catch((error: unknown) =>
      log('error', 'deferred_work_failed', { error: error instanceof Error ? error.name : 'unknown' }),
    );
    pending.add(settled);
    void settled.then(() => pending.delete(settled));
  },
};

function auditLineOf({ settings }: Config): ((line: string) => void) | null {
  const file = settings.auditLogPath ? createWriteStream(settings.auditLogPath, { flags: 'a', mode: 0o600 }) : null;
  file?.on('error', (error) =>
    log('error', 'audit_log_failed', { error: (error as { code?: string }).code ?? error.name }),
  );
  if (!file && !settings.auditLog) return null;
  return (line) => {
    if (settings.auditLog) process.stdout.write(`${line}\n`);
    file?.write(`${line}\n`);
  };
}

/** What a decision gets to know of a message. */
function received(incoming: IncomingMessage, target: string): Received {
  const { remoteAddress } = incoming.socket;
  const encrypted = (incoming.socket as TLSSocket).encrypted === true;
  const headers = rawFields(incoming.rawHeaders);
  return {
    // RFC 9112 §3.2: only HTTP/1.0 may leave it out.
    ...(incoming.httpVersion !== '1.0' && headers.get('host') === null
      ? { refused: { reason: 'host_invalid' } as const }
      : {}),
    target,
    headers,
    hop: {
      peerAddress: remoteAddress ?? null,
      secure: encrypted ? true : loopbackPeer(remoteAddress) ? null : false,
      ...clientOf(incoming),
    },
    context,
  };
}

/** What only cryptography can tell of a configuration, or null. */
async function problemOf({ assertions }: Composed): Promise<Problem | null> {
  const unfit = await assertions?.prepare();
  return unfit ? { variable: 'TGEFD_ASSERTION_KEY', found: unfit, accepted: 'a key pair that belongs together' } : null;
}

async function start() {
  const port = integerFrom('PORT', 8080, 65_535);
  const host = process.env.HOST ?? '127.0.0.1';
  const watch = createEgressWatch(log);
  const clientTls = createClientTls(process.env);
  clientTls.watch(log);
  const identify = identifyConnections(clientTls);
  const secrets = createNodeSecrets(process.env, { clock, log, watch, identify });
  const resolved = await secrets.resolve();
  if (resolved.problems.length > 0) await createAccessRecords({ ...accessParts, line: accessLine })(resolved, null);
  const config = configure({ ...resolved, problems: [...resolved.problems, ...clientTls.problems] });
  const { settings } = config;
  const serverTls = readServerTls(settings);
  if (serverTls && 'found' in serverTls) return refuse([serverTls]);

  const egress = createNodeEgress(egressTargets(settings, awsRegion), watch.note, { identify });
  const auditLine = auditLineOf(config);
  const recordAccesses = createAccessRecords({ ...accessParts, line: auditLine });
  const shared = {
    clock,
    newId,
    log,
    fetch: createNodeFetch(egress),
    egressWatch: watch,
    random: () => Math.random(),
    sleep,
    sharePromises: true,
    cryptography: { verify: verifyOnNode, hmac: hmacOnNode },
    sharedKeySet: null,
    upstream: settings.upstreamUrl ? createNodeUpstream(settings.upstreamUrl, { egress, maximumSockets: 1024 }) : null,
    auditLine,
    redisExchange: settings.redisUrl ? createNodeRedisExchange(settings.redisUrl, egress, watch.note) : null,
  };
  const fetchOut = composeEgress(settings, { fetch: createNodeFetch(egress), watch });
  const cloudOf = (next: Config) => cloudCredentials(next, { fetch: fetchOut, clock, newId, sharePromises: true });
  const composeWith = (next: Config, before: Composed | null) =>
    compose(next, { ...shared, spill: lazyS3Spill(next.settings, clock, egress, cloudOf(next)) }, before);
  const archiveOf = (next: Config, { outbox }: Composed) =>
    startNodeArchive(next, { outbox, egress, cloud: cloudOf(next), clock, newId, log });
  let composed = composeWith(config, null);
  const unfit = await problemOf(composed);
  if (unfit) refuse([unfit]);
  let archive = archiveOf(config, composed);
  let draining = false;

  const refresh = startSecretRefresh(
    { intervalMs: settings.secretsRefreshSeconds * 1000, first: resolved },
    {
      secrets,
      load: (env) => loadConfig(env, place),
      async replace(next) {
        const candidate = composeWith(next, composed);
        const problem = await problemOf(candidate);
        if (problem) return problem;
        candidate.carried.store.adopt();
        composed = candidate;
        // What it is about goes on to its end; the old value of a secret must not wait for that.
        if (archive) context.defer(archive.stop());
        archive = draining ? null : archiveOf(next, candidate);
        return null;
      },
      read: (found) => recordAccesses(found, composed),
      log,
    },
  );
  void recordAccesses(resolved, composed);

  const app = createApp<NodeBindings>({
    composed: () => composed,
    ready: () => !draining,
    rawTarget: (_request, { incoming }) => rawTargetOf(incoming),
    newId,
    received: (_request, { incoming }) => received(incoming, rawTargetOf(incoming)),
  });

  const server = createNodeServer(app, createNodeCheck({ composed: () => composed, received }), serverTls, {
    log,
    newId,
    readCertificate: certificateFromDer,
  });

  const drain = createConnectionDrain(server);
  const metricsServer = settings.metricsPort === null ? null : createMetricsServer(() => composed.metricsPage());

  const stop = () => {
    if (draining) return;
    draining = true;
    log('info', 'draining', { seconds: drainSeconds });
    const force = setTimeout(() => process.exit(1), drainSeconds * 1000);
    force.unref();
    void drain().then(async () => {
      await refresh.stop();
      await archive?.stop();
      // What is put off may put off more.
      while (pending.size > 0) await Promise.all(pending);
      log('info', 'stopped');
      process.exit(0);
    });
    metricsServer?.close();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  const cannotListen = (error: Error) => {
    log('error', 'cannot_listen', { error: (error as { code?: string }).code ?? error.name });
    process.exit(1);
  };
  server.once('error', cannotListen);
  if (metricsServer && settings.metricsPort !== null) {
    metricsServer.once('error', cannotListen);
    metricsServer.listen(settings.metricsPort, host);
  }
  void composed.warm(context);
  server.listen(port, host, () => {
    log('info', 'listening', { host, port: (server.address() as AddressInfo).port, auth_mode: config.authMode });
  });
}

/** A plain connection that never left this machine tells nothing about the caller's own transport. */
function loopbackPeer(address: string | undefined): boolean {
  return (
    address !== undefined && (address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.'))
  );
}

await start();
