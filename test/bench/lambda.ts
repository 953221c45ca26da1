import { createLambdaDoor } from '../../lib/adapter/lambda/authorizer.ts';
import { createDecisionMetrics } from '../../lib/adapter/lambda/metrics.ts';
import { sleep } from '../../lib/codec/sleep.ts';
import { createUlids } from '../../lib/codec/ulid.ts';
import { compose } from '../../lib/compose/authorizer.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { problemLine } from '../../lib/config/problem.ts';
import { createEgressWatch } from '../../lib/egress/watch.ts';
import { hmacOnNode, verifyOnNode } from '../../lib/platform/node/crypto.ts';
import event from '../unit/functions/events/http-2.json' with { type: 'json' };
import { measureStart } from './lambda-start.ts';
import type { Place } from './place.ts';
import { productEnvironment } from './product.ts';
import type { Plan, Row } from './rows.ts';

type Authorizer = (event: object) => Promise<unknown>;

/** Event in, policy out: ours is the whole decision with its metrics, the others verify the token and allow the one ARN. */
export async function lambdaGroup({ issuer, keySetUrl, facts }: Place): Promise<Plan> {
  for (const line of await measureStart()) console.log(line);
  const { authorizers } = await import(new URL('peers/lambda-authorizers.mjs', import.meta.url).href);
  const peers: Readonly<Record<string, Authorizer>> = await authorizers(facts);
  const row = 'our authorizer';
  return {
    title: 'lambda: in process; an event of API Gateway in, a policy out',
    rows: [
      authorizerRow(row, await ours(productEnvironment(issuer, keySetUrl))),
      ...Object.entries(peers).map(([name, authorizer]) => authorizerRow(name, authorizer)),
    ],
    aims: [
      { row, of: 'aws-jwt-verify', kind: 'hot', atMost: 0.05 },
      { row, of: 'aws-jwt-verify', kind: 'cold', atMost: 0.8 },
      { row, of: 'aws-jwt-verify under middy', kind: 'hot', atMost: null },
      { row, of: 'fast-jwt, cache', kind: 'hot', atMost: null },
      { row, of: 'jose.jwtVerify', kind: 'cold', atMost: null },
    ],
    skipped: [],
    rounds: 7,
    operations: { hot: 20_000, cold: 400 },
  };
}

function authorizerRow(name: string, authorizer: Authorizer): Row {
  return {
    name,
    async accepts(bad) {
      const accepted: string[] = [];
      for (const [what, token] of Object.entries(bad)) {
        const answer = await authorizer(eventWith(token)).catch(() => null);
        if (answer !== null) accepted.push(what);
      }
      return accepted;
    },
    async measure(tokens) {
      const events = tokens.map(eventWith);
      const { user, system } = process.cpuUsage();
      for (const one of events) await authorizer(one);
      const used = process.cpuUsage({ user, system });
      return { operations: tokens.length, micros: used.user + used.system };
    },
    stop: async () => {},
  };
}

function eventWith(token: string): object {
  return { ...event, headers: { ...event.headers, authorization: `Bearer ${token}` } };
}

async function ours(environment: Readonly<Record<string, string>>): Promise<Authorizer> {
  const clock = () => Date.now();
  const log = () => {};
  const loaded = loadConfig(
    { ...environment, TGEFD_AUTHORIZER_RESPONSE: 'iam' },
    { platform: 'lambda', role: 'gateway', upstreamBinding: false, bucketBinding: false },
  );
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  const composed = compose(loaded.config, {
    clock,
    newId: createUlids(clock),
    log,
    fetch: (input, init) => fetch(input, init),
    egressWatch: createEgressWatch(log),
    random: Math.random,
    sleep,
    sharePromises: true,
    cryptography: { verify: verifyOnNode, hmac: hmacOnNode },
    sharedKeySets: null,
    readFile: null,
    upstream: null,
    auditLine: null,
    spill: null,
    redisExchange: null,
  });
  await composed.warm({ defer: () => {} });
  return createLambdaDoor(composed, { log, metrics: createDecisionMetrics('authorizer', () => {}) });
}
