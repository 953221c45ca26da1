import { createUlids } from '../../codec/ulid.ts';
import { type Problem, problemLine } from '../../config/problem.ts';
import type { Fetch, Log } from '../../decision/ports.ts';
import { secretStores } from './secret-stores.ts';

function clock(): number {
  return Date.now();
}

function stopwatch(): number {
  return performance.now();
}

function log(...[level, event, facts]: Parameters<Log>): void {
  console[level](JSON.stringify({ type: 'log', level, event, ...facts }));
}

function fetchHere(...[input, init]: Parameters<Fetch>): Promise<Response> {
  return fetch(input, init);
}

function sayInvalid(problems: readonly Problem[]): void {
  for (const problem of problems) log('error', 'configuration_invalid', { problem: problemLine(problem) });
}

/** What both Workers have in common. */
export function workerBase(env: Readonly<Record<string, unknown>>) {
  return {
    env,
    clock,
    stopwatch,
    newId: createUlids(clock),
    log,
    fetch: fetchHere,
    sharePromises: false,
    secrets: secretStores(env, stopwatch),
    accessLine: null,
    problemsOf: (): readonly Problem[] => [],
    fatal: sayInvalid,
  } as const;
}
