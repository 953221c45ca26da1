import { sleep } from '../../lib/codec/sleep.ts';
import { createUlids } from '../../lib/codec/ulid.ts';
import { compose } from '../../lib/compose/authorizer.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { problemLine } from '../../lib/config/problem.ts';
import type { RequestContext } from '../../lib/decision/ports.ts';
import type { AccessRequest } from '../../lib/decision/request.ts';
import { hmacOnNode, verifyOnNode } from '../../lib/platform/node/crypto.ts';
import { rawFields } from '../../lib/request/raw-fields.ts';
import type { Place } from './place.ts';
import { largeEnvironment, productEnvironment } from './product.ts';
import type { Plan, Row } from './rows.ts';

type Verify = (token: string) => unknown;

/** In one process: our whole decision against what others take to verify the token alone. */
export async function decisionGroup({ issuer, keySetUrl, facts }: Place): Promise<Plan> {
  const { verifiers } = await import(new URL('peers/verifiers.mjs', import.meta.url).href);
  const peers: Readonly<Record<string, Verify>> = await verifiers(facts);
  const ours = await decide(productEnvironment(issuer, keySetUrl));
  const [row, large] = ['our decision', 'our decision, 5 issuers and 200 rows'];
  const oursLarge = await decide(largeEnvironment(issuer, keySetUrl));
  return {
    title: 'decision: in process; ours is the whole decision, the others verify the token and do no more',
    rows: [
      verifierRow(row, ours),
      verifierRow(large, oursLarge),
      ...Object.entries(peers).map(([name, verify]) => verifierRow(name, verify)),
    ],
    aims: [
      { row: large, of: row, kind: 'hot', atMost: 1.1 },
      { row, of: 'fast-jwt, cache', kind: 'hot', atMost: 1 },
      { row, of: 'jose.jwtVerify', kind: 'hot', atMost: null },
      { row, of: 'aws-jwt-verify', kind: 'hot', atMost: null },
      { row, of: 'jose.jwtVerify', kind: 'cold', atMost: 1.05 },
      { row, of: 'fast-jwt', kind: 'cold', atMost: null },
    ],
    skipped: [],
    rounds: 9,
    operations: { hot: 20_000, cold: 500 },
  };
}

function verifierRow(name: string, verify: Verify): Row {
  return {
    name,
    async accepts(bad) {
      const accepted: string[] = [];
      for (const [what, token] of Object.entries(bad)) {
        try {
          await verify(token);
          accepted.push(what);
        } catch {}
      }
      return accepted;
    },
    async measure(tokens) {
      const { user, system } = process.cpuUsage();
      for (const token of tokens) {
        const verified = verify(token);
        if (verified instanceof Promise) await verified;
      }
      const used = process.cpuUsage({ user, system });
      return { operations: tokens.length, micros: used.user + used.system };
    },
    stop: async () => {},
  };
}

/** Our decision as the Node door makes it of a request with this token; rejects what is denied. */
export async function decide(environment: Readonly<Record<string, string>>): Promise<Verify> {
  const clock = () => Date.now();
  const loaded = loadConfig(environment, {
    platform: 'node',
    role: 'gateway',
    upstreamBinding: false,
    bucketBinding: false,
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  const { enforce, warm } = compose(loaded.config, {
    clock,
    newId: createUlids(clock),
    log: () => {},
    fetch: (input, init) => fetch(input, init),
    random: Math.random,
    sleep,
    sharePromises: true,
    cryptography: { verify: verifyOnNode, hmac: hmacOnNode },
    sharedKeySets: null,
    readFile: null,
    upstream: async () => new Response(),
    auditLine: null,
    spill: null,
    redisExchange: null,
  });
  const context: RequestContext = { defer: () => {} };
  await warm(context);
  return async (token) => {
    const request: AccessRequest = {
      door: 'gateway',
      method: 'GET',
      target: '/v1/jobs/42',
      headers: rawFields(['host', 'api.example.test', 'accept', '*/*', 'authorization', `Bearer ${token}`]),
      hop: { peerAddress: '198.51.100.7', secure: true, certificate: null },
    };
    const { decision, leave } = await enforce(request, context);
    leave?.();
    if (decision.denial) throw new Error(decision.denial.reason);
  };
}
