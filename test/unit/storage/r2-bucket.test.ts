import { expect, test } from 'vitest';
import { createR2Bucket } from '../../../lib/storage/r2-bucket.ts';

const ages = { hotDays: 7, warmDays: 30, coldDays: 180 };

/** Cloudflare's API for one bucket, as far as it is used. */
function cloudflare() {
  const held: Record<string, unknown> = {
    '/lifecycle': { rules: [{ id: 'theirs', enabled: true, conditions: { prefix: 'other/' } }] },
    '/lock': {},
    '/domains/managed': { enabled: false },
  };
  const calls: string[] = [];
  const state = { held, calls, status: 200 };
  const bucket = createR2Bucket(
    { accountId: 'acc', apiToken: 'secret-token', bucket: 'audit', prefix: 'audit/', ages },
    async (input, init = {}) => {
      const path = input.replace('https://api.cloudflare.com/client/v4/accounts/acc/r2/buckets/audit', '');
      expect(new Headers(init.headers).get('authorization')).toBe('Bearer secret-token');
      calls.push(`${init.method} ${path}`);
      if (init.method === 'PUT') held[path] = JSON.parse(String(init.body));
      return Response.json({ success: true, result: held[path] }, { status: state.status });
    },
  );
  return { ...state, state, bucket };
}

test('lifecycle and locks are named, set, and then no difference any more; rules of others stay', async () => {
  const { bucket, held, calls } = cloudflare();
  expect((await bucket.check()).map(({ name }) => name)).toEqual(['lifecycle', 'bucket lock']);
  expect(calls.every((call) => call.startsWith('GET'))).toBe(true);
  expect((await bucket.apply()).map(({ name, refused }) => [name, refused])).toEqual([
    ['lifecycle', null],
    ['bucket lock', null],
  ]);
  expect(held['/lifecycle']).toMatchObject({ rules: [{ id: 'theirs' }, { id: 'audit-tiers' }, { id: 'audit-spill' }] });
  expect(await bucket.check()).toEqual([]);
  calls.length = 0;
  expect(await bucket.apply()).toEqual([]);
  expect(calls.every((call) => call.startsWith('GET'))).toBe(true);
});

test('a bucket open to the public is told, and not changed from here', async () => {
  const { bucket, held } = cloudflare();
  await bucket.apply();
  held['/domains/managed'] = { enabled: true };
  expect(await bucket.apply()).toMatchObject([{ name: 'public r2.dev address', refused: 'not changed from here' }]);
});

test('a refusal rejects with its status, without the token', async () => {
  const { bucket, state } = cloudflare();
  state.status = 403;
  await expect(bucket.check()).rejects.toThrow(/^GET \/\S+ of bucket audit: status 403$/);
});
