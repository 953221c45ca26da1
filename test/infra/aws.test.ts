import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createCanaries } from '../support/canaries.ts';
import { plaintextSecrets } from '../support/plaintext-secrets.ts';

/** Whoever deploys has secrets in the environment: none of them may be carried into a template. */
const canaries = await createCanaries();

const run = promisify(execFile);
const ROOT = dirname(dirname(import.meta.dirname));
const FOLDER = join(ROOT, 'infra/aws');
/** No account and no region: what a build machine has. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name))),
  PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
  CDK_DISABLE_CLI_TELEMETRY: 'true',
  AWS_EC2_METADATA_DISABLED: 'true',
  ...canaries.env,
};

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function command(file: string, args: readonly string[]) {
  const limits = { cwd: FOLDER, env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 };
  return await run(file, [...args], limits).then(
    ({ stdout, stderr }) => ({ ok: true, output: stdout + stderr }),
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ ok: false, output: stdout + stderr }),
  );
}

/** The outcomes of a TAP report, each with what stands between it and the next. */
function outcomesOf(tap: string): Outcome[] {
  const parts = tap.split(/^ *(not ok|ok) \d+ - (.*)$/m).slice(1);
  const outcomes: Outcome[] = [];
  for (let at = 0; at < parts.length; at += 3) {
    outcomes.push({ ok: parts[at] === 'ok', name: parts[at + 1] ?? '', detail: parts[at + 2] ?? '' });
  }
  return outcomes;
}

// The folder has dependencies of its own, which are heavy: they are installed here, and its tests run by its own runner.
const installed = await command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
const [types, tests, synthesized] = installed.ok
  ? [
      await command('tsc', ['-p', '.']),
      await command('node', ['--test', '--test-reporter=tap', 'test/*.test.ts']),
      await command('node_modules/.bin/cdk', ['synth', '--quiet', '--no-notices', '--output', join(FOLDER, 'cdk.out')]),
    ]
  : [];

describe('the infrastructure on AWS', () => {
  test('installs from its lock file', () => {
    expect(installed).toMatchObject({ ok: true });
  });
  test('type-checks', () => {
    expect(types).toMatchObject({ ok: true });
  });
  test('is synthesised by the CDK command as delivered, offline, with cdk-nag content', () => {
    expect(synthesized).toMatchObject({ ok: true });
  });
  test('carries no secret of the environment into a template or an asset', async () => {
    const output = join(FOLDER, 'cdk.out');
    const entries = await readdir(output, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    expect(files.some((file) => file.endsWith('.template.json'))).toBe(true);
    for (const file of files) {
      const text = await readFile(file, 'latin1');
      expect([file, canaries.secretsIn(text)]).toEqual([file, []]);
      if (file.endsWith('.template.json')) expect([file, plaintextSecrets(text)]).toEqual([file, []]);
    }
    expect(canaries.secretsIn(`${tests?.output}${synthesized?.output}`)).toEqual([]);
  });
  const outcomes = outcomesOf(tests?.output ?? '');
  test('has been tested', () => {
    expect(outcomes.length, tests?.output).toBeGreaterThan(40);
  });
  test.each(outcomes.map((outcome) => [outcome.name, outcome] as const))('%s', (_, { ok, detail }) => {
    expect(ok, detail).toBe(true);
  });
});
