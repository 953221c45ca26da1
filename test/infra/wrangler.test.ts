import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { knownNames, loadConfig } from '../../lib/config/load.ts';
import { secretNames } from '../../lib/config/sources.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { WRANGLER_ALONE } from '../support/wrangler-alone.ts';

/* What `wrangler deploy` and the Deploy button read: every configuration file, in production and in staging. */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const KEY = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'A'.repeat(43) });
const FILES = [
  { file: 'wrangler.toml', role: 'gateway' },
  { file: 'wrangler.archive.toml', role: 'archive' },
  { file: 'wrangler.console.toml', role: 'console' },
] as const;
const DEPLOYED = FILES.flatMap((one) => [
  { ...one, environment: undefined },
  { ...one, environment: 'staging' },
]);

function configOf(file: string, environment: string | undefined) {
  return unstable_readConfig({ config: join(ROOT, file), env: environment }, { hideWarnings: true });
}
function secretsOf(file: string, environment: string | undefined): Record<string, string> {
  const required = configOf(file, environment).secrets?.required ?? [];
  return Object.fromEntries(
    required.map((name: string) => [name, name.endsWith('SIGNING_KEY') ? KEY : 'k'.repeat(48)]),
  );
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-wrangler-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(DEPLOYED)('$file, environment $environment', ({ file, role, environment }) => {
  const config = configOf(file, environment);
  const vars = config.vars as Record<string, string>;

  test('deploys, as far as wrangler can tell without an account', async () => {
    const env = { PATH: process.env.PATH, HOME: folder, ...WRANGLER_ALONE };
    const args = ['deploy', '--dry-run', '-c', file, '--env', environment ?? '', '--outdir', join(folder, role)];
    const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
    const { stdout } = await run(process.execPath, [wrangler, ...args], { cwd: ROOT, env });
    expect(stdout).toContain('--dry-run: exiting now.');
    expect(stdout).toContain('env.AUDIT_BUCKET');
    // The project's own bundle and nothing else: wrangler's would be half as large again.
    const [script = '', ...more] = (await readdir(join(folder, role))).filter((name) => name.endsWith('.js'));
    expect([script, more]).toEqual([basename(config.main ?? ''), []]);
    const [sent, built] = [join(folder, role), join(ROOT, 'dist')].map((place) =>
      readFileSync(join(place, script), 'utf8'),
    );
    expect(sent === built).toBe(true);
  }, 120_000);

  test('is a configuration that the product starts with', () => {
    const place = { platform: 'worker', role, upstreamBinding: false, bucketBinding: true } as const;
    const loaded = loadConfig({ ...vars, ...secretsOf(file, environment) }, place);
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
    expect(loaded.warnings).toEqual([]);
  });

  test('names variables of the product and no secret', () => {
    for (const [name, value] of Object.entries(vars)) {
      expect(knownNames.has(name), name).toBe(true);
      expect(secretNames, name).not.toContain(name);
      expect(typeof value, name).toBe('string');
    }
  });

  test('has no address but your own domain', () => {
    expect([config.workers_dev, config.preview_urls]).toEqual([false, false]);
  });

  test('keeps nothing of production in staging, and the same names', () => {
    const production = configOf(file, undefined);
    expect(Object.keys(vars)).toEqual(Object.keys(production.vars));
    expect(config.secrets).toEqual(production.secrets);
    expect(config.triggers).toEqual(production.triggers);
    if (environment === undefined) return;
    for (const [name, value] of Object.entries(vars)) {
      if (value.includes('://')) expect(value, name).not.toBe((production.vars as Record<string, string>)[name]);
    }
    expect(config.r2_buckets[0]?.bucket_name).not.toBe(production.r2_buckets[0]?.bucket_name);
  });

  test('has the bucket that the other Workers have, and that the setup command makes', () => {
    const made = environment === undefined ? 'tgefd-authorizer-audit' : `tgefd-authorizer-${environment}-audit`;
    const buckets = FILES.map((one) => configOf(one.file, environment).r2_buckets[0]?.bucket_name);
    expect(buckets).toEqual(FILES.map(() => made));
  });
});

test('local development takes nothing from a deployment', () => {
  for (const { file } of FILES) {
    const local = configOf(file, 'local');
    expect([local.vars, local.r2_buckets, local.routes]).toEqual([{}, [], undefined]);
  }
});

test('the deploy page describes every variable, secret and bucket, and asks for every secret', async () => {
  const { cloudflare, scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const config = configOf('wrangler.toml', undefined);
  const bindings = config.r2_buckets.map(({ binding }: { binding: string }) => binding);
  const secrets = config.secrets?.required ?? [];
  expect(new Set(Object.keys(cloudflare.bindings))).toEqual(
    new Set([...Object.keys(config.vars), ...secrets, ...bindings]),
  );
  const example = await readFile(join(ROOT, '.dev.vars.example'), 'utf8');
  expect([...example.matchAll(/^([A-Z_]+)=""$/gm)].map(([, name]) => name)).toEqual(secrets);
  expect(scripts.deploy).toBe('wrangler deploy --env=""');
});

test('the console has every variable of the gateway, so that it shows the policy that is in force', () => {
  for (const environment of [undefined, 'staging']) {
    const { TGEFD_CONSOLE_URL: origin, ...shared } = configOf('wrangler.console.toml', environment).vars;
    expect(shared).toEqual(configOf('wrangler.toml', environment).vars);
    expect(origin).toMatch(/^https:/);
  }
});

test('the console’s Worker verifies the archive by a public key, with which no other Worker starts', () => {
  const { d: _private, ...publicHalf } = JSON.parse(KEY);
  const problems = (['console', 'archive'] as const).map((role) => {
    const { vars } = configOf('wrangler.console.toml', undefined);
    const secrets = {
      ...secretsOf('wrangler.console.toml', undefined),
      TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(publicHalf),
    };
    const place = { platform: 'worker', role, upstreamBinding: false, bucketBinding: true } as const;
    const loaded = loadConfig({ ...(vars as Record<string, string>), ...secrets }, place);
    return loaded.ok ? [] : loaded.problems.map(({ variable }) => variable);
  });
  expect(problems).toEqual([[], ['TGEFD_AUDIT_SIGNING_KEY']]);
});

test('every variable of the file is explained where it stands', async () => {
  const text = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
  const [, production = ''] = /\[vars\]\n([\s\S]*?)\n\[secrets\]/.exec(text) ?? [];
  const groups = production.split(/^(?=# )/m).filter((group) => group.trim() !== '');
  for (const group of groups) expect(group).toMatch(/^# .{20,}\n(TGEFD_[A-Z_]+ = .*\n?)+/);
});

test('the guide’s check of the variables finds them valid', async () => {
  const { stdout: lines } = await run(process.execPath, ['infra/cloudflare/vars.ts'], { cwd: ROOT });
  const files = [join(folder, 'vars.env'), join(folder, 'check.env')] as const;
  await writeFile(files[0], lines);
  await writeFile(
    files[1],
    Object.entries(secretsOf('wrangler.toml', undefined))
      .map((pair) => pair.join('='))
      .join('\n'),
  );
  const args = [...files.map((file) => `--env-file=${file}`), 'dist/cli.js', 'check-config', '--platform', 'worker'];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, env: { PATH: process.env.PATH } });
  expect(stdout).toContain('configuration valid');
});

describe('workerd with the variables of wrangler.toml', () => {
  const vars = configOf('wrangler.toml', undefined).vars as Record<string, string>;

  test('decides about requests', async () => {
    const door = await startWorkerDoor({ ...vars, ...secretsOf('wrangler.toml', undefined) });
    try {
      expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
      const answer = await fetch(`${door.url}/v1/metrics`, { headers: { 'x-loopback-protocol': 'https' } });
      expect(answer.status).not.toBe(200);
      expect(await answer.text()).not.toContain('configuration_invalid');
    } finally {
      await door.stop();
    }
  });

  test('answers 503 to everything without its secrets', async () => {
    const door = await startWorkerDoor(vars);
    try {
      const answer = await fetch(`${door.url}/v1/metrics`, { headers: { 'x-loopback-protocol': 'https' } });
      expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'configuration_invalid' }]);
    } finally {
      await door.stop();
    }
  });
});
