import { expect, test } from 'vitest';
import { createPseudonyms } from '../../../lib/audit/pseudonym.ts';
import { secretAccessSchema } from '../../../lib/audit/schema.ts';
import { createAccessRecords } from '../../../lib/audit/secret-access-records.ts';

function under(append: (text: string) => { outcome: 'stored'; depth: number } | { outcome: 'unavailable' }) {
  const kept: string[] = [];
  const events: string[] = [];
  let ids = 0;
  const record = createAccessRecords({
    component: 'node',
    clock: () => Date.parse('2026-11-24T10:00:00Z'),
    newId: () => `id-${++ids}`,
    log: (_level, event) => void events.push(event),
    line: null,
  });
  const outbox = {
    append: (text: string) => {
      kept.push(text);
      return append(text);
    },
  };
  const pseudonyms = createPseudonyms({ key: 'a pseudonym key of more than 32 bytes', previousKeys: [] });
  return {
    events,
    records: () => kept.map((text) => secretAccessSchema.parse(JSON.parse(text))),
    kept,
    read: (value: string | null, keeper = true) =>
      record(
        {
          env: value === null ? {} : { TGEFD_REDIS_TOKEN: value },
          accesses: [{ variable: 'TGEFD_REDIS_TOKEN', source: 'aws-sm', ok: value !== null }],
          problems: [],
        },
        keeper ? { outbox: outbox as never, pseudonyms } : null,
      ),
  };
}
function stored() {
  return { outcome: 'stored', depth: 1 } as const;
}

test('the first reading, each that brings another value, and every failure are records', async () => {
  const { read, records, kept } = under(stored);
  for (const value of ['one', 'one', 'two', null, null, 'two', 'one']) await read(value);
  expect(records().map(({ outcome }) => outcome)).toEqual(['read', 'read', 'failed', 'failed', 'read']);
  const [first, second, failed, , last] = records();
  expect(first).toMatchObject({ variable: 'TGEFD_REDIS_TOKEN', source: 'aws_sm', component: 'node' });
  expect(second?.key_id).not.toBe(first?.key_id);
  expect(failed?.key_id).toBeNull();
  expect(last?.key_id).toBe(first?.key_id);
  expect(kept.join()).not.toMatch(/"one"|"two"/);
});

test('an outbox that does not take one is said, and nobody waits or fails for it', async () => {
  const away = under(() => ({ outcome: 'unavailable' }));
  await away.read('one');
  const broken = under(() => {
    throw new Error('away');
  });
  await broken.read('one');
  expect([away.events, broken.events]).toEqual([['secret_access_not_recorded'], ['secret_access_not_recorded']]);
});

test('before there is an outbox only failures are told', async () => {
  const { read, records } = under(stored);
  await read('one', false);
  expect(records()).toEqual([]);
  await read('one');
  expect(records()).toHaveLength(1);
});
