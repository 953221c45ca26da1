import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { problemLine } from '../../lib/config/problem.ts';
import { secretNames } from '../../lib/config/sources.ts';
import { variables } from '../../lib/config/variables.ts';
import { formsOf } from '../support/canaries.ts';
import { lambdaClient } from '../support/lambda-client.ts';
import { startFunction } from '../support/lambda-runtime.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const BUNDLE = join(dirname(dirname(import.meta.dirname)), 'dist/lambda-authorizer.mjs');
const NODE = join(dirname(BUNDLE), 'node.js');
const hex = randomBytes(24).toString('hex');
const base64url = randomBytes(32).toString('base64url');
/** Without a slash at the edges, so that its pieces are long enough to be looked for. */
const base64 = `${randomBytes(9).toString('base64').replaceAll('/', 'x')}/${randomBytes(15).toString('base64').replaceAll('/', 'x')}`;
const inUrl = 'Hidden-Pa55';
const claims = Buffer.from(JSON.stringify({ sub: base64url })).toString('base64url');

/** What somebody may paste into the wrong variable, and the parts of it that must not be seen. */
const pasted: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  'a hexadecimal key': [hex, [hex]],
  'a key in base64': [base64, base64.split('/')],
  'a key in base64url, with words around it': [`key ${base64url} key`, [base64url]],
  'a private JWK': [`{"kty":"OKP","crv":"Ed25519","x":"AA","d":"${base64url}"}`, [base64url]],
  'a private key in PEM': [`-----BEGIN PRIVATE KEY-----\n${base64url}\n-----END PRIVATE KEY-----`, [base64url]],
  'a token': [`eyJhbGciOiJSUzI1NiJ9.${claims}.${hex}`, [claims, hex]],
  'a URL with a password': [`rediss://default:${inUrl}/@redis.example:6379`, [inUrl]],
  'a URL with a key for its user': [`ftp://${hex}@redis.example`, [hex]],
  'a URL with a key in its query': [`ftp://redis.example/?token=${base64url}`, [base64url]],
};

const names = [
  ...new Set([
    ...Object.values(variables).flatMap((variable) => [
      variable.name,
      ...('aliases' in variable ? variable.aliases : []),
    ]),
    ...secretNames,
  ]),
].filter((name) => !name.startsWith('TGEFD_VAULT_'));

function seen(text: string, hidden: readonly string[]): readonly string[] {
  return hidden.filter((part) => formsOf(part).some((form) => text.includes(form)));
}

function everywhere(value: string): Record<string, string> {
  return Object.fromEntries([
    ...names.map((name) => [name, value]),
    ['TGEFD_NO_SUCH_NAME', value],
    ['TGEFD_API_KEY_ROTATED_AT', value],
    ['TGEFD_ENV', 'development'],
  ]);
}

describe.each(Object.entries(pasted))('%s in the wrong variable', (_, [value, hidden]) => {
  test('is told by no problem of any single variable, on no platform', () => {
    let problems = 0;
    for (const name of names)
      for (const platform of ['node', 'worker', 'lambda'] as const)
        for (const environment of ['production', 'development']) {
          const env = { TGEFD_ENV: environment, [name]: value };
          const place = { platform, role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
          const loaded = loadConfig(env, place);
          const told = [...(loaded.ok ? [] : loaded.problems), ...loaded.warnings];
          problems += told.length;
          expect([name, seen(told.map(problemLine).join('\n'), hidden)]).toEqual([name, []]);
          expect([name, seen(JSON.stringify(told), hidden)]).toEqual([name, []]);
        }
    expect(problems).toBeGreaterThan(names.length);
  });

  test('is not printed by the Node process, which does not start', async () => {
    const told = await promisify(execFile)(process.execPath, [NODE], { env: everywhere(value) }).then(
      () => 'started',
      ({ code, stdout, stderr }) => `exit status ${code}\n${stdout}\n${stderr}`,
    );
    expect(told).toContain('exit status 1\n');
    expect(told).toContain('configuration invalid');
    expect(seen(told, hidden)).toEqual([]);
  });

  test('is neither answered nor logged by the Worker', async () => {
    const door = await startWorkerDoor(everywhere(value));
    try {
      const answer = await requestRaw(door.port, 'GET /v1/metrics HTTP/1.1', ['Host: api.example']);
      expect(answer.status).toBe(503);
      await expect.poll(() => door.lines.join('\n'), { timeout: 10_000 }).toContain('configuration_invalid');
      expect(seen([answer.body, JSON.stringify(answer.fields), ...door.lines].join('\n'), hidden)).toEqual([]);
    } finally {
      await door.stop();
    }
  });

  test.each([
    [['check-config', '--all']],
    [['check-config', '--platform', 'worker']],
    [['check-config', '--platform', 'lambda', '--role', 'archive']],
    [['audit', 'query']],
    [['explain', '--path', '/v1/metrics']],
  ])('is not printed by the command line: %j', async (args) => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const status = await main(args, { env: everywhere(value), out: say, err: say });
    expect(status).not.toBe(0);
    expect(lines.join('\n')).toContain('configuration invalid');
    expect(seen(lines.join('\n'), hidden)).toEqual([]);
  });
});

describe('the start of a Lambda function', () => {
  const started: { stop(): Promise<void> }[] = [];
  afterEach(() => Promise.all(started.splice(0).map((running) => running.stop())));

  test.each(Object.entries(pasted))('does not print %s', async (_, [value, hidden]) => {
    const client = await lambdaClient();
    const failed: unknown = await startFunction({
      bundle: BUNDLE,
      handler: 'lambda-authorizer.handler',
      client: 'path' in client ? client.path : null,
      env: everywhere(value),
    }).then(
      (running) => started.push(running),
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ message: 'configuration_invalid' });
    const printed = String((failed as Error).cause);
    expect(printed).toContain('TGEFD_REDIS_URL');
    expect(seen(printed, hidden)).toEqual([]);
  });
});

test('the console’s `rediss:` URL is answered with the URL that is wanted', () => {
  const loaded = loadConfig(
    { TGEFD_ENV: 'development', TGEFD_REDIS_URL: `rediss://default:${inUrl}@name.upstash.io:6379` },
    { platform: 'worker', role: 'gateway', upstreamBinding: true, bucketBinding: false },
  );
  const told = loaded.ok ? '' : loaded.problems.map(problemLine).join('\n');
  expect(told).toMatch(
    /TGEFD_REDIS_URL: found "rediss:\/\/\[user information\]@name\.upstash\.io:6379"; accepted: .*https.*REST.*TGEFD_REDIS_TOKEN/,
  );
});
