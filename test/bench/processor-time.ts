import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processor time that a process and its descendants have used so far, in microseconds: every thread's own account, to the
 * nanosecond (`/proc/<pid>/task/<thread>/schedstat`). Linux only. A thread that has ended is no longer counted.
 */
export function processorMicros(pid: number): number {
  let nanoseconds = 0;
  for (const each of processesOf(pid))
    for (const thread of entries(`/proc/${each}/task`))
      nanoseconds += Number(read(`/proc/${each}/task/${thread}/schedstat`).split(' ', 1)[0]);
  return nanoseconds / 1000;
}

/** A process and all its descendants. */
export function processesOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processesOf)];
}

function childrenOf(pid: number): number[] {
  return entries(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // It has just ended.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
