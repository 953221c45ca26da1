import { createUlids } from '../../codec/ulid.ts';
import { type Problem, problemLine } from '../../config/problem.ts';
import { resolveSources } from '../../config/sources.ts';
import type { Log } from '../../decision/ports.ts';
import { createEgressWatch } from '../../egress/watch.ts';
import { createDocumentReader } from '../node/documents.ts';
import { createLambdaStores } from './secret-stores.ts';

export type Env = Readonly<Record<string, string | undefined>>;

function clock(): number {
  return Date.now();
}

function stopwatch(): number {
  return performance.now();
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

function log(...[level, event, facts]: Parameters<Log>): void {
  line(JSON.stringify({ type: 'log', ts: new Date().toISOString(), level, event, ...facts }));
}

function sayInvalid(problems: readonly Problem[]): void {
  for (const problem of problems) log('error', 'configuration_invalid', { problem: problemLine(problem) });
}

/** What both functions have in common: the environment, its secrets behind the extension, and where lines go. */
export function lambdaBase(env: Env) {
  const watch = createEgressWatch(log);
  const stores = createLambdaStores(env, { stopwatch, watch });
  const document = createDocumentReader(null);
  return {
    watch,
    env,
    clock,
    stopwatch,
    newId: createUlids(clock),
    log,
    line,
    sharePromises: true,
    secrets: { resolve: () => resolveSources(env, { file: null, document, stores }) },
    accessLine: line,
    problemsOf: (): readonly Problem[] => [],
    fatal: sayInvalid,
  } as const;
}
