import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.ts';
import { ensurePackage } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { acceptsConnections } from '../support/listening.ts';

const run = promisify(execFile);
const ROOT = dirname(dirname(import.meta.dirname));
const curl = await ensurePackage('curl', ['curl']);

describeWith([curl], 'npm run dev', () => {
  let dev: Child;
  let commands: readonly string[];
  let ports: readonly number[];

  beforeAll(async () => {
    dev = await startChild({
      command: process.execPath,
      args: [join(ROOT, 'test/support/dev.ts')],
      ready: (lines) => lines.some((line) => line.includes('Ctrl-C stops everything')),
      readyTimeoutMs: 120_000,
    });
    commands = dev.lines.filter((line) => line.startsWith('curl '));
    ports = dev.lines
      .flatMap((line) => (/^ {2}\w+ +http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? []) as string[])
      .map(Number);
  });
  afterAll(() => dev.stop());

  const answer = async (index: number) => (await run('sh', ['-c', `${commands[index]} --silent`])).stdout;

  it('prints three requests, the first of which is allowed and reaches the upstream without its token', async () => {
    const text = await answer(0);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain('"x-auth-request-user","alice"');
    expect(text).not.toContain('Bearer');
  });

  it('the second is forbidden by scope', async () => {
    const text = await answer(1);
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    expect(text).toContain('"code":"insufficient_scope"');
  });

  it('the third is refused', async () => {
    const text = await answer(2);
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).toContain('"code":"credentials_invalid"');
  });

  it('stops everything it started', async () => {
    expect(ports.length).toBeGreaterThanOrEqual(3);
    await dev.stop();
    expect(await Promise.all(ports.map(acceptsConnections))).toEqual(ports.map(() => false));
  });
});
