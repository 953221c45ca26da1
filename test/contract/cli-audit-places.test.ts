import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { createSpill } from '../../lib/archive/spill/spill.ts';
import { runArchive } from '../support/archive-run.ts';
import { type ReadableBucket, startBucket } from '../support/console/bucket.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { layout, recordAt, signingJwk, T0 } from '../unit/archive/fixtures.ts';

const program = await redisProgram();

describeWith([program], 'records that are in the outbox, archived, or spilled', () => {
  let redis: RedisParts;
  let bucket: ReadableBucket;
  beforeAll(async () => {
    [redis, bucket] = await Promise.all([startRedis(program), startBucket()]);
  });
  afterAll(() => Promise.all([redis?.stop(), bucket?.down()]));

  const environment = () => ({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'none',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_AUDIT_BUCKET: bucket.name,
    TGEFD_AUDIT_S3_ENDPOINT: bucket.endpoint,
    TGEFD_AUDIT_S3_REGION: 'eu-central-1',
    TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'AKIA0000000000000000',
    TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'a secret access key of the tests',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'a pseudonym key that only tests know of',
    TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
  });
  const append = (id: string) => redis.client.xadd('tgefd:v1:audit', '*', 'r', JSON.stringify(recordAt(id, T0)));
  function start(...args: readonly string[]) {
    const [out, err]: [string[], string[]] = [[], []];
    const ended = main(['audit', ...args], {
      env: environment(),
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
    });
    return { out, err, ended };
  }
  const idsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).id);

  test('are found once each, with one that lies in two places', async () => {
    await append('archived');
    expect(await runArchive(environment(), bucket.store)).toMatch(/^(drained|behind)$/);
    await createSpill(bucket.store, layout, 5_000).put(recordAt('spilled', T0));
    await append('waiting');
    await append('spilled'); // An append whose answer was lost.
    const query = start('query', '--json');
    expect(await query.ended).toBe(0);
    expect(idsOf(query.out).sort()).toEqual(['archived', 'spilled', 'waiting']);
    expect(query.err).toEqual(['2 of them not archived yet', '3 records']);
  });

  test('are found by their request id right after the decision', async () => {
    const record = { ...recordAt('just-decided', T0), request_id: 'asked-a-moment-ago' };
    const id = await redis.client.xadd('tgefd:v1:audit', '*', 'r', JSON.stringify(record));
    const query = start('query', '--json', '--request-id', 'asked-a-moment-ago');
    expect(await query.ended).toBe(0);
    expect(idsOf(query.out)).toEqual(['just-decided']);
    await redis.client.xdel('tgefd:v1:audit', String(id));
  });

  test('are found in the bucket while Redis refuses, and the command says what it could not search', async () => {
    await redis.setFault({ kind: 'refuse' });
    const query = start('query', '--json');
    expect(await query.ended).toBe(0);
    await redis.setFault(null);
    expect(idsOf(query.out).sort()).toEqual(['archived', 'spilled']);
    expect(query.err.join('\n')).toMatch(/\(unreachable\).*: what was decided just now is found within/);
  });

  test('are shown once by tail as they come, until Redis goes away', async () => {
    redis.resetCounts();
    const tail = start('tail', '--json');
    await expect.poll(() => redis.counts.commands).toBeGreaterThan(1);
    await append('first');
    await append('second');
    await expect.poll(() => idsOf(tail.out), { timeout: 5_000 }).toEqual(['first', 'second']);
    await redis.setFault({ kind: 'refuse' });
    expect(await tail.ended).toBe(1);
    await redis.setFault(null);
    const [error = '', ...more] = tail.out.slice(2);
    expect([JSON.parse(error).error.code, more]).toEqual(['unavailable', []]);
    expect(tail.err).toEqual([expect.stringMatching(/^Redis cannot be reached: .+ \(unreachable\)$/)]);
  });
});
