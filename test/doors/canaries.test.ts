import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { type Canaries, createCanaries } from '../support/canaries.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

/** A whole build beside another test. */
const BUILD_MS = 120_000;
const ROOT = dirname(dirname(import.meta.dirname));

let issuer: Issuer;
let upstream: Upstream;
let canaries: Canaries;
beforeAll(async () => {
  [issuer, upstream, canaries] = await Promise.all([startIssuer(), startUpstream(), createCanaries()]);
});
afterAll(() => Promise.all([issuer?.stop(), upstream?.stop()]));
function secretsIn(text: string) {
  return canaries.secretsIn(text);
}

function environment(): Record<string, string> {
  return {
    ...jwtEnvironment(issuer),
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    // Redis, the bucket and the collector are away: their errors are where secrets like to show.
    TGEFD_REDIS_URL: 'http://127.0.0.1:1',
    TGEFD_RATE_LIMIT_PER_MINUTE: '100',
    TGEFD_AUDIT_BUCKET: 'records',
    TGEFD_AUDIT_S3_ENDPOINT: 'http://127.0.0.1:1',
    TGEFD_AUDIT_MODE: 'relaxed',
    TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '0.2',
    TGEFD_METRICS_ENABLED: 'true',
    TGEFD_OTEL_ENABLED: 'true',
    TGEFD_OTEL_ENDPOINT: 'http://127.0.0.1:1/v1/traces',
    ...canaries.env,
  };
}

test('a canary is seen where there is one, whatever it is written as', () => {
  for (const [name, text] of Object.entries(canaries.env)) {
    const value = text.startsWith('{') ? (JSON.parse(text).d as string) : text.replace(/^(holder:|x-key=)/, '');
    const part = value.slice(0, 16);
    const written = [
      text,
      value,
      part,
      JSON.stringify({ inside: JSON.stringify(text) }),
      Buffer.from(part).toString('hex'),
      Buffer.from(value).toString('hex').toUpperCase(),
      encodeURIComponent(value),
      [...Buffer.from(value)].map((byte) => `%${byte.toString(16)}`).join(''),
      ...['', 'a', 'ab', 'abc'].flatMap((before) =>
        (['base64', 'base64url'] as const).map((encoding) => Buffer.from(`${before}${value}yz`).toString(encoding)),
      ),
    ];
    for (const each of written) expect([name, canaries.secretsIn(`x${each}y`)]).toEqual([name, [name]]);
  }
  expect(canaries.secretsIn('0123456789abcdef'.repeat(20))).toEqual([]);
});

describe.each(Object.entries({ node: startNodeDoor, workerd: startWorkerDoor }))('on %s', (_, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start(environment());
  });
  afterAll(() => door?.stop());

  test('no answer and no line holds a secret or a credential, whatever goes wrong', async () => {
    const token = await issuer.token({ subject: 'alice' });
    const [header = '', claims = '', signature = ''] = token.split('.');
    const proof = `v1;t=${Math.floor(Date.now() / 1000)};n=abcdefghij;s=${'A'.repeat(43)}`;
    const requests: [string, string[]][] = [
      ['/healthz', []],
      ['/readyz', []],
      ['/v1/metrics', []],
      ['/v1/metrics', [`Authorization: Bearer ${token}`]],
      ['/v1/metrics', [`Authorization: Bearer ${header}.${claims}.${signature.slice(0, -4)}AAAA`]],
      ['/v1/metrics', [`Authorization: Bearer ${token}`, `X-Tgefd-Ingress-Proof: ${proof}`]],
      ['/_authorizer/jwks.json', []],
      ['/_authorizer/metrics', [`Authorization: Bearer ${token}`]],
      ['/_authorizer/revocations', [`Authorization: Bearer ${token}`]],
      ['/_authorizer/.well-known/openid-configuration', []],
      ['/_authorizer/check', [`Authorization: Bearer ${token}`]],
      ['/a//b', [`Authorization: Bearer ${token}`]],
    ];
    const answers: string[] = [];
    for (const [target, fields] of requests) {
      const answer = await requestRaw(door.port, `GET ${target} HTTP/1.1`, ['Host: api.example', ...fields]);
      answers.push(`${answer.status} ${target}\n${JSON.stringify(answer.fields)}\n${answer.body}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const lines = door.lines.join('\n');
    expect(secretsIn(answers.join('\n'))).toEqual([]);
    expect(secretsIn(lines)).toEqual([]);
    for (const text of [answers.filter((each) => !each.includes('"received"')).join('\n'), lines]) {
      expect(text).not.toContain(signature);
      expect(text).not.toContain(claims);
    }
    expect(lines).not.toContain('alice');
  });
});

test.each([
  ['a token too short', { TGEFD_INGRESS_SECRET: 'canary-short' }],
  ['a private key cut off', { TGEFD_ASSERTION_KEY: '{"kty":"OKP","crv":"Ed25519","x":"canary-x","d":"canary-d"}' }],
  ['no JSON where a key should be', { TGEFD_AUDIT_SIGNING_KEY: 'canary-key' }],
  ['a secret under a mistyped name', { TGEFD_REDIS_TOKN: 'canary-token' }],
  ['an API key of the wrong form', { TGEFD_API_KEY: 'a:canary-1,canary-2' }],
])('a configuration that does not hold says so without the value: %s', async (_, wrong) => {
  const told = await startNodeDoor({ ...environment(), ...(wrong as Record<string, string>) }).then(
    (door) => door.stop().then(() => 'started'),
    (error: Error) => error.message,
  );
  expect(told).toContain('configuration invalid');
  expect(told).not.toMatch(/canary/);
  expect(secretsIn(told)).toEqual([]);
});

test.each([
  [['check-config']],
  [['check-config', '--platform', 'worker']],
  [['egress', 'print']],
  [['explain', '--path', '/v1/metrics', '--token', 'canary.of.a-token']],
  [['revocations', 'list']],
  [['audit', 'query']],
  [['audit', 'keys']],
])('the command line shows no secret: %j', async (args) => {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const failed = await main(args, { env: environment(), out: say, err: say }).catch((error: unknown) =>
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  );
  const text = [...lines, String(failed)].join('\n');
  expect(secretsIn(text)).toEqual([]);
  expect(text).not.toContain('canary.of.a-token');
});

test(
  'no bundle and no source map holds what the environment held while it was built',
  async () => {
    await promisify(execFile)(process.execPath, ['infra/build.ts'], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...canaries.env },
    });
    const entries = readdirSync(join(ROOT, 'dist'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    expect(files.some((name) => name.endsWith('.map'))).toBe(true);
    for (const name of files) {
      const text = readFileSync(name, 'utf8');
      expect([name, secretsIn(text)]).toEqual([name, []]);
      expect([name, text.includes(`${ROOT}/`)]).toEqual([name, false]);
    }
  },
  BUILD_MS,
);
