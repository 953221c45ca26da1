import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { main } from '../../../functions/cli.ts';
import { failureSentence } from '../../../lib/cli/failure.ts';
import { type LoopbackServer, listenOnLoopback } from '../../support/loopback-server.ts';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));
const KEY =
  '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}';
const secret = 'a secret access key of the tests';

let store: LoopbackServer | null = null;
afterEach(async () => {
  await store?.down();
  store = null;
});

async function answering(status: number, code: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>about ${secret}</Message></Error>`);
  });
  store = await listenOnLoopback(server);
  return `http://127.0.0.1:${store.port}`;
}

function environment(endpoint: string): Record<string, string> {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUDIT_BUCKET: 'records',
    TGEFD_AUDIT_S3_ENDPOINT: endpoint,
    TGEFD_AUDIT_S3_REGION: 'eu-central-1',
    TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'AKIA0000000000000000',
    TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: secret,
    TGEFD_AUDIT_SIGNING_KEY: KEY,
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
  };
}

async function run(args: readonly string[], env: Record<string, string>) {
  const err: string[] = [];
  const status = await main(args, { env, out: () => undefined, err: (line) => void err.push(line) });
  return { status, err };
}

describe('a store that refuses a command', () => {
  test.each([
    [404, 'NoSuchBucket', 'the bucket does not exist'],
    [403, 'InvalidAccessKeyId', 'the access key is refused'],
    [403, 'SignatureDoesNotMatch', 'the access key is refused'],
    [403, 'AccessDenied', 'the credentials may not do this'],
    [301, 'PermanentRedirect', 'another region'],
    [403, 'RequestTimeTooSkewed', 'the clock of this machine'],
    [400, 'SomethingElse', 'answered with an error'],
  ])('%i %s is one sentence and exit status 1', async (status, code, words) => {
    const env = environment(await answering(status, code));
    for (const args of [
      ['audit', 'query'],
      ['audit', 'verify'],
      ['audit', 'bucket', '--check'],
    ]) {
      const told = await run(args, env);
      expect([args, told.status]).toEqual([args, 1]);
      expect(told.err).toHaveLength(1);
      expect(told.err[0]).toContain(words);
      expect(told.err[0]?.length).toBeLessThan(320);
      expect(told.err[0]).not.toContain(secret);
    }
  });

  test('one that is away is one sentence, and nothing of the program’s source', async () => {
    const env = environment('http://127.0.0.1:1');
    expect(await run(['audit', 'query'], env)).toMatchObject({
      status: 1,
      err: [expect.stringMatching(/cannot be reached .*ECONNREFUSED/)],
    });
    const { code, stderr } = await promisify(execFile)(
      process.execPath,
      ['--enable-source-maps', join(ROOT, 'functions/cli.ts'), 'audit', 'query'],
      { env },
    ).catch((error) => error);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('a failure', () => {
  const withCode = (message: string, members: object) => Object.assign(new Error(message), members);

  test.each([
    [
      withCode('connect', { code: 'ECONNREFUSED', address: '127.0.0.1', port: 6379 }),
      '127.0.0.1:6379 cannot be reached (ECONNREFUSED)',
    ],
    [
      withCode('getaddrinfo', { code: 'ENOTFOUND', hostname: 'redis.invalid' }),
      'redis.invalid cannot be reached (ENOTFOUND)',
    ],
    [withCode('open', { code: 'ENOENT', path: 'token.txt' }), 'token.txt: there is no such file'],
    [
      withCode('x', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', host: 'a.example' }),
      'a.example shows a certificate that is not trusted, or is for another name (DEPTH_ZERO_SELF_SIGNED_CERT)',
    ],
    [
      new AggregateError([withCode('a', { code: 'ECONNREFUSED' })], ''),
      'another service cannot be reached (ECONNREFUSED)',
    ],
    [new Error('line one\nline two'), 'line one line two'],
    [new Error(''), 'Error'],
    ['text', 'failed for a reason that has no name'],
  ])('is one sentence', (error, told) => {
    expect(failureSentence(error, {})).toBe(told);
  });

  test('hides the secrets of the environment, and is short', () => {
    expect(failureSentence(new Error('token hunter2! refused'), { TGEFD_REDIS_TOKEN: 'hunter2!' })).toBe(
      'token [8 characters] refused',
    );
    expect(failureSentence(new Error('a '.repeat(1000)), {}).length).toBeLessThan(310);
  });
});
