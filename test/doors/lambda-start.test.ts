import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { lambdaClient } from '../support/lambda-client.ts';
import { type RunningFunction, startFunction } from '../support/lambda-runtime.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import restRequest from '../unit/functions/events/rest-request.json' with { type: 'json' };
import { runtimeName } from './lambda-apis.ts';

const run = promisify(execFile);
const BUNDLE = join(dirname(dirname(import.meta.dirname)), 'dist/lambda-authorizer.mjs');
const client = await lambdaClient();
const SECRET = 'a secret of the tests, 32 bytes or more';
const KEY =
  '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}';

let running: RunningFunction | null = null;
afterEach(async () => {
  await running?.stop();
  running = null;
});
async function start(env: Readonly<Record<string, string>>, handler = 'lambda-authorizer.handler') {
  running = await startFunction({
    bundle: BUNDLE,
    handler,
    client: 'path' in client ? client.path : null,
    env: { TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_RBAC_ENABLED: 'true', ...env },
  });
  return running;
}
async function eventWith(secret = SECRET) {
  const bearer = await new SignJWT({ scope: 'jobs' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject('alice')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));
  return { ...restRequest, headers: {}, multiValueHeaders: { Authorization: [`Bearer ${bearer}`] } };
}

describe(`the start of the authorizer, on ${runtimeName}`, () => {
  test('fails with one line per problem where the configuration is invalid, and no secret in any', async () => {
    const failed: unknown = await start({ TGEFD_JWT_SECRET: 'short', TGEFD_RBAC_ENABLD: 'true' }).catch(
      (error) => error,
    );
    expect(failed).toMatchObject({ message: 'configuration_invalid' });
    const printed = String((failed as Error).cause);
    expect(printed).toMatch(/TGEFD_JWT_SECRET: found 5 bytes/);
    expect(printed).toMatch(/TGEFD_RBAC_ENABLD: .*probably meant: TGEFD_RBAC_ENABLED/);
    expect(printed).not.toContain('short');
  });

  test('loads neither the standard streams, nor files, nor fetch', async () => {
    const script = `
      const early = new Set(process.moduleLoadList);
      await import(${JSON.stringify(BUNDLE)});
      const loaded = process.moduleLoadList.filter((module) => !early.has(module));
      process.stdout.write(loaded.join('\\n'), () => process.exit());`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      env: { TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_JWT_SECRET: SECRET, TGEFD_AUDIT_LOG: 'false' },
    });
    const loaded = stdout.split('\n');
    expect(loaded).toContain('NativeModule crypto');
    for (const module of ['tty', 'internal/fs/promises', 'internal/deps/undici/undici'])
      expect(loaded).not.toContain(`NativeModule ${module}`);
  });

  describe('before the first event', () => {
    let issuer: Issuer;
    beforeAll(async () => {
      issuer = await startIssuer();
    });
    afterAll(() => issuer?.stop());
    const environment = () => ({
      TGEFD_JWKS_URL: issuer.keySetUrl,
      TGEFD_JWT_ISSUER: issuer.url,
      TGEFD_JWT_AUDIENCE: issuer.audience,
    });

    test('has the key set', async () => {
      issuer.resetCounts();
      const { invoke } = await start(environment());
      expect(issuer.counts.keySetRequests).toBe(1);
      const event = { ...restRequest, multiValueHeaders: { Authorization: [`Bearer ${await issuer.token()}`] } };
      expect(await invoke(event)).toMatchObject({ context: { subject: expect.any(String) } });
      expect(issuer.counts.keySetRequests).toBe(1);
    });

    test('does not wait for an issuer that hangs', async () => {
      await issuer.setFault({ kind: 'hang' });
      const { initMs } = await start({ ...environment(), TGEFD_JWKS_TIMEOUT_SEC: '30' });
      expect(initMs).toBeLessThan(8_000);
    });

    test('has nothing where it is going to be a snapshot: no keys to grow old, no randomness to be repeated', async () => {
      await issuer.setFault(null);
      issuer.resetCounts();
      const { invoke } = await start({ ...environment(), AWS_LAMBDA_INITIALIZATION_TYPE: 'snap-start' });
      expect(issuer.counts.keySetRequests).toBe(0);
      const event = { ...restRequest, multiValueHeaders: { Authorization: [`Bearer ${await issuer.token()}`] } };
      expect(await invoke(event)).toMatchObject({ context: { subject: expect.any(String) } });
    });
  });
});

describe(`secrets behind the extension, on ${runtimeName}`, () => {
  const values = new Map<string, string>();
  let asked = 0;
  let status = 200;
  let tokens: (string | undefined)[] = [];
  let extension: LoopbackServer;
  beforeAll(async () => {
    extension = await listenOnLoopback(
      createServer((request, response) => {
        asked += 1;
        tokens.push(String(request.headers['x-aws-parameters-secrets-token']));
        const name = new URL(request.url ?? '', 'http://localhost').searchParams.get('secretId') ?? '';
        const SecretString = values.get(name);
        response.writeHead(SecretString === undefined ? 400 : status, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ Name: name, SecretString, VersionStages: ['AWSCURRENT'] }));
      }),
    );
  });
  afterAll(() => extension?.down());
  const environment = (more: Readonly<Record<string, string>> = {}) => ({
    TGEFD_JWT_SECRET: 'aws-sm:perimeter/jwt#current',
    PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: `${extension.port}`,
    AWS_SESSION_TOKEN: 'session-token',
    ...more,
  });

  test('are read with the first event and not before, by the session token', async () => {
    values.set('perimeter/jwt', JSON.stringify({ current: SECRET }));
    asked = 0;
    tokens = [];
    const { invoke } = await start(environment());
    expect(asked).toBe(0);
    expect(await invoke(await eventWith())).toMatchObject({ context: { subject: 'alice' } });
    expect(tokens).toEqual(['session-token']);
  });

  test('that are not there yet are an outage until they are', async () => {
    values.delete('perimeter/jwt');
    const { invoke, lines } = await start(environment());
    await expect(invoke(await eventWith())).rejects.toThrow('configuration_invalid');
    values.set('perimeter/jwt', JSON.stringify({ current: SECRET }));
    expect(await invoke(await eventWith())).toMatchObject({ context: { subject: 'alice' } });
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  test('that were rotated count after the refresh, and while they cannot be read the last ones serve', async () => {
    values.set('perimeter/jwt', JSON.stringify({ current: SECRET }));
    const { invoke } = await start(environment({ TGEFD_SECRETS_REFRESH_SEC: '1' }));
    expect(await invoke(await eventWith())).toMatchObject({ context: { subject: 'alice' } });
    const next = 'another secret of the tests, 32 bytes long';
    values.set('perimeter/jwt', JSON.stringify({ current: next }));
    await expect.poll(async () => invoke(await eventWith(next)).catch(() => null), { timeout: 8_000 }).not.toBeNull();
    await expect(invoke(await eventWith())).rejects.toThrow('Unauthorized');
    status = 500;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(await invoke(await eventWith(next))).toMatchObject({ context: { subject: 'alice' } });
    status = 200;
  });
});

describe(`the key set of assertions, on ${runtimeName}`, () => {
  test('is published without the private half', async () => {
    const environment = {
      TGEFD_JWT_SECRET: SECRET,
      TGEFD_ASSERTION_KEY: KEY,
      TGEFD_UPSTREAM_URL: 'https://api.internal',
    };
    const { invoke } = await start(environment, 'lambda-authorizer.jwks');
    const answer = (await invoke({})) as { statusCode: number; headers: object; body: string };
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'content-type': 'application/jwk-set+json' } });
    const [key] = JSON.parse(answer.body).keys;
    expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' });
    expect(key).not.toHaveProperty('d');
  });
});
