import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { main } from '../../functions/cli.ts';
import { lambdaClient } from '../support/lambda-client.ts';
import { startFunction } from '../support/lambda-runtime.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

/* What is deployed, started with a configuration that must not serve. Each way to start returns the words it left. */

type Env = Readonly<Record<string, string>>;

const DIST = join(import.meta.dirname, '../../dist');
const client = await lambdaClient();

async function keyPair(kid: string) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid };
}
const [good, other] = await Promise.all([keyPair('good'), keyPair('other')]);
const mismatched = JSON.stringify({ ...good, d: other.d });

const base: Env = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'none',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
  TGEFD_REDIS_URL: 'http://127.0.0.1:9',
  TGEFD_REDIS_TOKEN: 'a token',
  TGEFD_AUDIT_BUCKET: 'records',
  TGEFD_AUDIT_S3_ENDPOINT: 'http://127.0.0.1:9',
  TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(good),
};

async function functionThatFails(env: Env, handler: string): Promise<string> {
  const bundle = join(DIST, `${handler.split('.')[0]}.mjs`);
  try {
    const running = await startFunction({ bundle, handler, client: 'path' in client ? client.path : null, env });
    try {
      const failed = await running.invoke({}).then(String, (error: Error) => error.message);
      return [failed, ...running.lines].join('\n');
    } finally {
      await running.stop();
    }
  } catch (error) {
    const { message, cause } = error as Error;
    return `${message}\n${cause}`;
  }
}

const places: readonly { readonly name: string; readonly words: (env: Env) => Promise<string> }[] = [
  {
    name: 'Node ends before it listens',
    words: async (env) => {
      const started = await startNodeDoor(env).catch((error: Error) => error.message);
      if (typeof started === 'string') return started;
      await started.stop();
      return 'it listened';
    },
  },
  {
    name: 'a Worker answers 503 to everything but the question whether it lives',
    words: async (env) => {
      const door = await startWorkerDoor(env);
      const ask = async (path: string) => {
        const answer = await fetch(`${door.url}${path}`);
        return [answer.status, (await answer.text()).includes('configuration_invalid')];
      };
      try {
        expect(await ask('/healthz')).toEqual([200, false]);
        for (const path of ['/readyz', '/v1/metrics', '/_authorizer/jwks.json', '/_authorizer/check'])
          expect(await ask(path), path).toEqual([503, true]);
        await expect.poll(() => door.lines.join('\n'), { timeout: 5_000 }).toContain('configuration_invalid');
        return door.lines.join('\n');
      } finally {
        await door.stop();
      }
    },
  },
  {
    name: 'a Lambda authorizer fails its start',
    words: (env) => functionThatFails(env, 'lambda-authorizer.handler'),
  },
  {
    name: 'the archive as a Lambda function fails its run',
    words: (env) => functionThatFails(env, 'lambda-archive.handler'),
  },
  {
    name: 'the archive as a Worker fails its run',
    words: async (env) => {
      const lines: string[] = [];
      const { error } = console;
      console.error = (line: string) => void lines.push(line);
      try {
        vi.resetModules(); // Another isolate.
        const { default: archiveWorker } = await import('../../functions/worker-archive.ts');
        const run = archiveWorker.scheduled({} as never, env, {} as never);
        return `${await run.then(() => 'it ran', String)}\n${lines.join('\n')}`;
      } finally {
        console.error = error;
      }
    },
  },
  ...(['node', 'worker', 'lambda'] as const).map((platform) => ({
    name: `check-config --platform ${platform} says no`,
    words: (env: Env) => command(['check-config', '--platform', platform], env, 1),
  })),
  {
    name: 'a command that decides ends with an error',
    words: (env) => command(['explain', '--path', '/v1/metrics'], env, 1),
  },
];

async function command(args: readonly string[], env: Env, expectedCode: number): Promise<string> {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  expect(await main(args, { env, out: keep, err: keep })).toBe(expectedCode);
  return lines.join('\n');
}

describe.each(places)('$name', ({ words }) => {
  test.each([
    ['TGEFD_ASSERTION_KEY', { TGEFD_ASSERTION_KEY: mismatched }],
    ['TGEFD_AUDIT_SIGNING_KEY', { TGEFD_AUDIT_SIGNING_KEY: mismatched }],
    ['TGEFD_RATE_LIMIT_PER_MINUTE', { TGEFD_RATE_LIMIT_PER_MINUTE: 'many' }],
  ])('by %s', async (variable, env) => {
    const told = await words({ ...base, ...env });
    expect(told).toContain(`${variable}: found`);
    expect(told).not.toContain(good.d);
    expect(told).not.toContain(other.d);
  });
});
