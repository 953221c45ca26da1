import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { type Canaries, createCanaries } from '../support/canaries.ts';
import { freePort } from '../support/child.ts';
import { type Collector, startCollector } from '../support/collector.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { lambdaClient } from '../support/lambda-client.ts';
import { startFunction } from '../support/lambda-runtime.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import restRequest from '../unit/functions/events/rest-request.json' with { type: 'json' };

const redisServer = await redisProgram();
const client = await lambdaClient();
const ROOT = dirname(dirname(import.meta.dirname));

/* Everything that is kept or shown while all goes well: where `canaries.test.ts` looks at what goes wrong. */
describeWith([redisServer], 'no secret and no caller', () => {
  let canaries: Canaries;
  let redis: RedisParts;
  let collector: Collector;
  let issuer: Issuer;
  let upstream: Upstream;
  let bucket: LoopbackServer;
  let folder: string;
  /** What was put into the bucket, by its path; archives come unpacked. */
  const objects = new Map<string, Buffer>();
  const tokens: string[] = [];

  beforeAll(async () => {
    [canaries, redis, collector, issuer, upstream, folder] = await Promise.all([
      createCanaries(),
      startRedis(redisServer),
      startCollector(),
      startIssuer(),
      startUpstream(),
      mkdtemp(join(tmpdir(), 'tgefd-canaries-')),
    ]);
    redis.setToken(canaries.env.TGEFD_REDIS_TOKEN ?? '');
    bucket = await listenOnLoopback(
      createServer(async (incoming, outgoing) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk);
        const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://bucket');
        const kept = objects.get(pathname);
        if (incoming.method === 'PUT') {
          objects.set(pathname, Buffer.concat(chunks));
          outgoing.setHeader('etag', '"1"').end();
        } else if (searchParams.has('list-type')) {
          const keys = [...objects.keys()]
            .map((path) => path.split('/').slice(2).join('/'))
            .filter((key) => key.startsWith(searchParams.get('prefix') ?? ''));
          const contents = keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('');
          outgoing.end(`<ListBucketResult><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`);
        } else if (kept) outgoing.setHeader('etag', '"1"').end(incoming.method === 'HEAD' ? undefined : kept);
        else outgoing.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
      }),
    );
  });
  afterAll(async () => {
    await Promise.all([redis?.stop(), collector?.stop(), issuer?.stop(), upstream?.stop(), bucket?.down()]);
    await rm(folder, { recursive: true, force: true });
  });

  const environment = (): Record<string, string> => ({
    ...jwtEnvironment(issuer),
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TIMEOUT_MS: '2000',
    TGEFD_RATE_LIMIT_MODE: 'exact',
    TGEFD_RATE_LIMIT_PER_MINUTE: '1000',
    TGEFD_AUDIT_MODE: 'strict',
    TGEFD_AUDIT_LOG: 'true',
    TGEFD_AUDIT_BUCKET: 'records',
    TGEFD_AUDIT_S3_ENDPOINT: `http://127.0.0.1:${bucket.port}`,
    TGEFD_METRICS_ENABLED: 'true',
    TGEFD_OTEL_ENABLED: 'true',
    TGEFD_OTEL_ENDPOINT: collector.endpoint,
    ...canaries.env,
  });

  /** Nothing of a secret, of a token, or of who called by name. */
  const expectNothing = (what: string, text: string) => {
    expect(text.length, `${what} is empty`).toBeGreaterThan(0);
    expect([what, canaries.secretsIn(text)]).toEqual([what, []]);
    for (const token of tokens) {
      const [, claims = '', signature = ''] = token.split('.');
      expect([what, text.includes(claims), text.includes(signature)]).toEqual([what, false, false]);
    }
    expect([what, text.includes('alice-the-caller')]).toEqual([what, false]);
  };

  const use = async (door: StartedDoor): Promise<string[]> => {
    const answers: string[] = [];
    const call = async (path: string, token: string | null, method = 'GET', body: string | null = null) => {
      if (token) tokens.push(token);
      const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), 'content-type': 'application/json' };
      const answer = await fetch(`${door.url}${path}`, { method, headers, body });
      answers.push(`${answer.status} ${path} ${JSON.stringify([...answer.headers])}\n${await answer.text()}`);
      return answer.status;
    };
    const alice = await issuer.token({ subject: 'alice-the-caller', scope: 'metrics jobs revoke' });
    expect(await call('/v1/metrics', alice, 'HEAD')).toBe(200);
    expect(await call('/v1/jobs/1', alice)).toBe(200);
    answers.splice(0); // The upstream's own words.
    expect(await call('/v1/discover', alice, 'POST', '{}')).toBe(403);
    expect(await call('/v1/metrics', null)).toBe(401);
    expect(await call('/v1/metrics', `${alice.slice(0, -4)}AAAA`)).toBe(401);
    const soon = Math.floor(Date.now() / 1000) + 600;
    // Another than she who calls, whom the next door is to let in; what looks for her name finds this one too.
    const revoked = JSON.stringify({ kind: 'sub', id: 'alice-the-caller-of-old', expires_at: soon });
    expect(await call('/_authorizer/revocations', alice, 'POST', revoked)).toBe(201);
    const reader = await issuer.token({ subject: 'scraper', scope: 'metrics' });
    expect(await call('/_authorizer/metrics', reader)).toBe(200);
    await call('/_authorizer/jwks.json', null);
    await call('/_authorizer/.well-known/openid-configuration', null);
    await call('/readyz', null);
    return answers;
  };

  const redisText = async (): Promise<string> => {
    const parts: unknown[] = [];
    for (const key of await redis.client.keys('*')) {
      const read: Readonly<Record<string, () => Promise<unknown>>> = {
        string: () => redis.client.get(key),
        hash: () => redis.client.hgetall(key),
        zset: () => redis.client.zrange(key, '0', '-1', 'WITHSCORES'),
        set: () => redis.client.smembers(key),
        list: () => redis.client.lrange(key, 0, -1),
        stream: () => redis.client.xrange(key, '-', '+'),
      };
      const kind = await redis.client.type(key);
      parts.push([key, kind, await read[kind]?.()]);
    }
    return parts.map((part) => JSON.stringify(part)).join('\n');
  };
  const bucketText = () =>
    [...objects]
      .map(([path, bytes]) => `${path}\n${(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1')}`)
      .join('\n');

  test.each(Object.entries({ node: startNodeDoor, workerd: startWorkerDoor }))(
    'in an answer, a line, Redis, a span or what the upstream is sent, on %s',
    async (platform, start) => {
      const spans = collector.bodies.length;
      const sent = upstream.received.length;
      const metricsPort = await freePort();
      const door = await start({
        ...environment(),
        TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '0',
        ...(platform === 'node' ? { TGEFD_METRICS_PORT: `${metricsPort}` } : {}),
      });
      try {
        expectNothing('an answer', (await use(door)).join('\n'));
        await expect.poll(() => collector.bodies.length, { timeout: 5000 }).toBeGreaterThan(spans + 3);
        await expect
          .poll(() => door.lines.filter((line) => line.includes('"type":"audit"')).length, { timeout: 5000 })
          .toBeGreaterThan(4);
        expectNothing('a line', door.lines.join('\n'));
        const stored = await redisText();
        expect(stored).toContain('"stream"');
        expectNothing('Redis', stored);
        expectNothing('a span', collector.bodies.slice(spans).join('\n'));
        const requests = upstream.received.slice(sent).map((request) => JSON.stringify(request));
        expect([requests.length, canaries.secretsIn(requests.join('\n'))]).toEqual([2, []]);
        if (platform === 'node') await showAll(door, metricsPort);
      } finally {
        await door.stop();
      }
    },
    60_000,
  );

  /** What an operator is shown beside a running door. */
  const showAll = async (door: StartedDoor, metricsPort: number) => {
    const page = `http://127.0.0.1:${metricsPort}/_authorizer/metrics`;
    expectNothing('the metrics page', await (await fetch(page)).text());
    const token = await issuer.token({ subject: 'alice-the-caller', scope: 'metrics' });
    tokens.push(token);
    const commands: readonly (readonly string[])[] = [
      ['check-config'],
      ['check-config', '--platform', 'lambda'],
      ['check-config', '--role', 'archive'],
      ['egress', 'print'],
      ['explain', '--path', '/v1/metrics', '--token', token],
      ['explain', '--path', '/v1/discover', '--method', 'POST', '--token', `${token.slice(0, -4)}AAAA`],
      ['doctor', 'ingress', '--url', door.url],
      ['revocations', 'list'],
      ['audit', 'query'],
      ['audit', 'keys'],
      ['audit', 'accesses'],
      ['rotate', 'jwt-secret', '--check', '--metrics', page, '--for', '1'],
      ...['jwt-secret', 'ingress-secret', 'assertion-key', 'audit-signing-key'].map((name) => [
        'rotate',
        name,
        '--out',
        join(folder, name),
      ]),
    ];
    for (const args of commands) {
      const lines: string[] = [];
      const say = (line: string) => void lines.push(line);
      const status = await main(args, { env: environment(), out: say, err: say }).catch((error: unknown) => {
        lines.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
        return 'threw';
      });
      // Who is asked about, `explain` tells whoever brought the token.
      const told = args[0] === 'explain' ? lines.join('\n').replaceAll('alice-the-caller', '') : lines.join('\n');
      expectNothing(args.slice(0, 2).join(' '), `${status}\n${told}`);
      if (args[2] === '--out') {
        const made = (await readFile(args[3] ?? '', 'utf8')).trim();
        const secret = made.startsWith('{') ? JSON.parse(made).d : made;
        expect([args[1], told.includes(secret)]).toEqual([args[1], false]);
      }
    }
  };

  /** Moves every stream into the past. */
  const makeOlder = async (ms: number) => {
    for (const key of await redis.client.keys('*')) {
      if ((await redis.client.type(key)) !== 'stream') continue;
      const entries = await redis.client.xrange(key, '-', '+');
      await redis.client.del(key);
      for (const [id, fields] of entries) {
        const [at = '', count = ''] = id.split('-');
        await redis.client.xadd(key, `${Number(at) - ms}-${count}`, ...fields);
      }
    }
  };

  test('in what the archive of a Node process keeps', async () => {
    const { TGEFD_INGRESS_SECRET: mounted = '', ...env } = environment();
    await writeFile(join(folder, 'ingress'), mounted);
    const door = await startNodeDoor({
      ...env,
      TGEFD_INGRESS_SECRET_FILE: join(folder, 'ingress'),
      TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '0.3',
    });
    try {
      await use(door);
      // A batch waits until it is worth it, or its first record is five minutes old.
      await makeOlder(6 * 60_000);
      await expect.poll(() => [...objects.keys()].join(' '), { timeout: 20_000 }).toMatch(/manifest/);
      const text = bucketText();
      expect(text).toContain('"type":"audit"');
      expect(text).toContain('"type":"secret_access"');
      expectNothing('the bucket', text);
      expectNothing('a line', door.lines.join('\n'));
    } finally {
      await door.stop();
    }
  }, 60_000);

  test('in an answer or a line of the Lambda authorizer', async () => {
    const running = await startFunction({
      bundle: join(ROOT, 'dist/lambda-authorizer.mjs'),
      handler: 'lambda-authorizer.handler',
      client: 'path' in client ? client.path : null,
      env: environment(),
    });
    try {
      const alice = await issuer.token({ subject: 'alice-the-caller', scope: 'jobs' });
      tokens.push(alice);
      const answers: string[] = [];
      for (const bearer of [alice, `${alice.slice(0, -4)}AAAA`, 'nonsense']) {
        const event = { ...restRequest, headers: {}, multiValueHeaders: { Authorization: [`Bearer ${bearer}`] } };
        const answer = await running.invoke(event).catch((error: unknown) => String(error));
        // The upstream behind API Gateway is told who calls.
        answers.push(JSON.stringify(answer).replaceAll('alice-the-caller', ''));
      }
      expectNothing('an answer', answers.join('\n'));
      await expect.poll(() => running.lines.length, { timeout: 5000 }).toBeGreaterThan(0);
      expectNothing('a line', running.lines.join('\n'));
    } finally {
      await running.stop();
    }
  }, 60_000);
});
