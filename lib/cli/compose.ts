import { sleep } from '../codec/sleep.ts';
import { createUlids } from '../codec/ulid.ts';
import { type Composed, compose } from '../compose/authorizer.ts';
import { operatorAgents } from '../platform/cli/agents.ts';
import { createNodeFetch } from '../platform/node/fetch.ts';
import type { Console } from './command.ts';
import { configOrProblems } from './config.ts';

function clock() {
  return Date.now();
}

/**
 * The same wired parts that a door has, for one command: no upstream, no record lines. Null, with every problem told, where
 * the configuration does not hold together. With `trial`, nothing is spent, stored or recorded anywhere else.
 */
export async function composeForCommand(console: Console, { trial = false } = {}): Promise<Composed | null> {
  const place = { platform: 'lambda', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
  const loaded = await configOrProblems(console, place);
  if (!loaded) return null;
  return compose(loaded.config, {
    clock,
    newId: createUlids(clock),
    log: (level, event, facts = {}) => {
      if (level !== 'info') console.err(`${level}: ${event} ${JSON.stringify(facts)}`);
    },
    fetch: createNodeFetch(operatorAgents(console.env)),
    random: () => Math.random(),
    sleep,
    sharePromises: true,
    sharedKeySet: null,
    upstream: null,
    auditLine: null,
    spill: null,
    redisExchange: null,
    ...(trial ? { trial } : {}),
  });
}
