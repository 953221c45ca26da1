import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { processesOf, processorMicros } from './processor-time.ts';

/** Servers run on one core; the load generator, and everything that is measured in this process, on another. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Share of one core that others may use while a group is measured. */
const BUSY_SHARE = 0.15;
const MICROS_PER_TICK = 10_000;

/** Keeps a process, its threads and its descendants on one core. Does nothing where there is only one. */
export function pin(pid: number, core: number): void {
  if (availableParallelism() < 2) return;
  for (const each of processesOf(pid))
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(each)], { stdio: 'ignore' });
}

/**
 * Begins to watch what other processes use. The function that it gives tells their share of one core since then, and whether that
 * is too much to compare anything.
 */
export function watchOthers(): () => { readonly share: number; readonly isBusy: boolean } {
  const [startedMs, all, own] = [performance.now(), userMicros(), processorMicros(process.pid)];
  return () => {
    const elapsedMicros = (performance.now() - startedMs) * 1000;
    const others = userMicros() - all - (processorMicros(process.pid) - own);
    const share = Math.max(0, others / elapsedMicros);
    return { share, isBusy: share > BUSY_SHARE };
  };
}

/** Processor time of all processes of the machine in user mode and in the kernel, without interrupts. */
function userMicros(): number {
  const [, user = 0, nice = 0, system = 0] = (/^cpu .*/.exec(readFileSync('/proc/stat', 'utf8'))?.[0] ?? '')
    .split(/ +/)
    .map(Number);
  return (user + nice + system) * MICROS_PER_TICK;
}
