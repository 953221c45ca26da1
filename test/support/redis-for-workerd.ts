import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startChild } from './child.ts';
import { ensurePackage } from './debian.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where tests inside workerd find a Redis, or why there is none. */
    redis: { readonly url: string; readonly token: string } | { readonly missing: string };
  }
}

/**
 * Global set-up of the tests inside workerd, which cannot start a process themselves: a Redis behind its REST face. It runs
 * as a process of its own, since this project resolves every package for a Worker.
 */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const program = await ensurePackage('redis-server', ['redis-server']);
  if ('missing' in program) {
    provide('redis', program);
    return async () => {};
  }
  const service = await startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, 'redis-service.ts')],
    ready: (lines) => lines.some((line) => line.startsWith('{')),
  });
  provide('redis', JSON.parse(service.lines.find((line) => line.startsWith('{')) ?? '{}'));
  return () => service.stop();
}
