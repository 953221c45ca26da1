import { sleep } from '../../lib/codec/sleep.ts';
import { createUlids } from '../../lib/codec/ulid.ts';
import { compose } from '../../lib/compose/authorizer.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { problemLine } from '../../lib/config/problem.ts';
import type { RequestContext } from '../../lib/decision/ports.ts';
import type { AccessRequest } from '../../lib/decision/request.ts';
import { hmacOnNode, verifyOnNode } from '../../lib/platform/node/crypto.ts';
import { rawFields } from '../../lib/request/raw-fields.ts';

/** What a decision is asked about: the value of `Authorization`, and a proof where there is one. */
export type Decide = (authorization: string, proof?: string) => Promise<void> | undefined;

/** Where the requests of `Decide` go. */
export const DECIDED_URL = 'https://api.example.test/v1/jobs/42';

/** Makes our decision as the Node door makes it; throws, or rejects, what is denied. Without a promise where ours makes none. */
export async function createDecide(environment: Readonly<Record<string, string>>): Promise<Decide> {
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
  const judge = ({ decision, leave }: Awaited<ReturnType<typeof enforce>>): undefined => {
    leave?.();
    if (decision.denial) throw new Error(decision.denial.reason);
  };
  return (authorization, proof) => {
    const request: AccessRequest = {
      door: 'gateway',
      method: 'GET',
      target: '/v1/jobs/42',
      headers: rawFields([
        ...['host', 'api.example.test', 'accept', '*/*', 'authorization', authorization],
        ...(proof === undefined ? [] : ['dpop', proof]),
      ]),
      hop: { peerAddress: '198.51.100.7', secure: true, certificate: null },
    };
    const enforced = enforce(request, context);
    return enforced instanceof Promise ? enforced.then(judge) : judge(enforced);
  };
}
