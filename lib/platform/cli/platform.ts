import { readFile } from 'node:fs/promises';
import { sleep } from '../../codec/sleep.ts';
import { createUlids } from '../../codec/ulid.ts';
import type { Config } from '../../config/load.ts';
import { type Problem, problemLine } from '../../config/problem.ts';
import type { Place } from '../../config/rules/check.ts';
import type { Log } from '../../decision/ports.ts';
import { createEgressWatch } from '../../egress/watch.ts';
import { createNodeFetch } from '../node/fetch.ts';
import { redisOverTcp } from '../node/redis-tcp/open.ts';
import { createNodeSecrets } from '../node/secrets.ts';
import { chainVerifierOf } from '../node/tls/client-chain.ts';
import { identifyConnections } from '../node/tls/client-connections.ts';
import { createClientTls } from '../node/tls/client-tls.ts';
import { operatorAgents } from './agents.ts';

function clock(): number {
  return Date.now();
}

function stopwatch(): number {
  return performance.now();
}

/** What a command may touch: its environment, and where its errors go. */
interface CommandPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  err(line: string): void;
}

/**
 * An operator's machine, for one command: the secrets of a Node process, no upstream, no record lines, and nothing that is
 * read again. A fatal problem is printed; the command then ends. With `trial` nothing is spent, stored or recorded elsewhere.
 */
export function cliPlatform({ env, err }: CommandPlace, role: Place['role'] = 'gateway', trial = false) {
  const log: Log = (level, event, facts = {}) => {
    // Warnings about the configuration are for `check-config`.
    if (level !== 'info' && event !== 'configuration') err(`${level}: ${event} ${JSON.stringify(facts)}`);
  };
  const newId = createUlids(clock);
  const silent: Log = () => undefined;
  const identify = identifyConnections(createClientTls(env));
  const secrets = createNodeSecrets(env, { stopwatch, log: silent, watch: createEgressWatch(silent), identify });
  const place: Place = { platform: 'cli', role, upstreamBinding: false, bucketBinding: false };
  return {
    place,
    env,
    clock,
    stopwatch,
    newId,
    log,
    sharePromises: true,
    secrets,
    renewal: { by: 'never' },
    component: null,
    accessLine: null,
    problemsOf: (): readonly Problem[] => [],
    fatal(problems: readonly Problem[]) {
      err('configuration invalid:');
      for (const problem of problems) err(`  ${problemLine(problem)}`);
    },
    runtime: ({ settings }: Config) => ({
      verifyChain: chainVerifierOf(settings, clock),
      clock,
      newId,
      log,
      fetch: createNodeFetch(operatorAgents(env)),
      random: () => Math.random(),
      sleep,
      sharePromises: true,
      sharedKeySets: null,
      readFile: (path: string) => readFile(path, 'utf8'),
      upstream: null,
      auditLine: null,
      spill: null,
      redisExchange: null,
      redisOverTcp: redisOverTcp(settings, operatorAgents(env)),
      ...(trial ? { trial } : {}),
    }),
  } as const;
}
