import { createAdmission } from '../../lib/admit/admission.ts';
import { createRedisStore } from '../../lib/admit/redis-store.ts';
import type { Budget } from '../../lib/decision/outcome.ts';
import { createRedisConnection } from '../../lib/redis/connection.ts';
import { fetchExchange } from '../../lib/redis/exchange.ts';
import { createUpstashClient } from '../../lib/redis/upstash-client.ts';

/** What a spender is told, as JSON in `SPEND`. */
export interface Spend {
  readonly url: string;
  readonly token: string;
  readonly mode: 'exact' | 'leased';
  readonly partition: string;
  readonly budgets: readonly Budget[];
  /** Requests under way at once, and when to stop: after so many, or after so long. */
  readonly concurrency: number;
  readonly requests: number;
  readonly milliseconds: number;
}

/** What a spender prints in the end. */
export interface Spent {
  readonly requests: number;
  readonly admitted: number;
  readonly waited: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One process that spends as fast as it may, for the test that several together never spend more than a budget. */
if (process.env.SPEND !== undefined) {
  const spend: Spend = JSON.parse(process.env.SPEND);
  const connection = createRedisConnection(
    { timeoutMs: 10_000 },
    {
      client: createUpstashClient(fetchExchange(spend, fetch)),
      clock: Date.now,
      random: Math.random,
      log: (_level, event) => console.error(event),
    },
  );
  const admission = createAdmission(
    {
      mode: spend.mode,
      emergency: { revokedTokenIds: [], revokedKeyIds: [], revokedSubjects: [] },
      revocationOnError: 'closed',
      revocationMaximumDelayMs: 5_000,
      timeoutMs: 1_000,
    },
    { store: createRedisStore(connection), clock: Date.now, pseudonyms: (_, value) => [value] },
  );
  const deferred: Promise<unknown>[] = [];
  const question = { partition: spend.partition, budgets: spend.budgets, revocation: null };
  const fromMs = Date.now();
  let [requests, admitted, waited] = [0, 0, 0];
  const worker = async () => {
    while (requests < spend.requests && Date.now() - fromMs < spend.milliseconds) {
      requests += 1;
      const answer = admission.admit(question, { defer: (promise) => deferred.push(promise) });
      if (answer instanceof Promise) waited += 1;
      if ((await answer).outcome === 'admitted') admitted += 1;
      // Other requests, and answers to what was asked in the background, get their turn.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all(Array.from({ length: spend.concurrency }, worker));
  await Promise.all(deferred);
  const spent: Spent = { requests, admitted, waited, fromMs, toMs: Date.now() };
  console.log(JSON.stringify(spent));
}
