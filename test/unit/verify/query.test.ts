import { expect, test } from 'vitest';
import { type ArchivedRecord, archivedRecordSchema } from '../../../lib/audit/schema.ts';
import { csvHeader, csvLine, readableLine } from '../../../lib/verify/format.ts';
import { type Found, type Query, searchArchive } from '../../../lib/verify/query.ts';
import { createBench, HOUR, layout, MINUTE, names, recordAt, T0 } from '../archive/fixtures.ts';

const all: Query = {
  fromMs: null,
  toMs: null,
  identities: null,
  action: null,
  outcome: null,
  requestId: null,
  addresses: null,
  keyId: null,
};

async function threeBatches() {
  const bench = createBench();
  for (let batch = 0; batch < 3; batch++) {
    bench.decide(batch * 10 + 1, batch * 10 + 10);
    bench.now.ms = T0 + batch * HOUR + 30 * MINUTE;
    await bench.archive().run();
    bench.now.ms = T0 + (batch + 1) * HOUR;
  }
  const search = async (query: Partial<Query>): Promise<Found[]> => {
    const parts = { store: bench.store, layout, verifier: bench.parts.verifier };
    const found: Found[] = [];
    for await (const one of searchArchive({ ...all, ...query }, parts)) found.push(one);
    return found;
  };
  const ids = async (query: Partial<Query>) =>
    (await search(query)).map((found) => (found.found === 'record' ? found.record.id : `damage ${found.key}`));
  return { ...bench, search, ids };
}

test('everything, in order', async () => {
  const { ids } = await threeBatches();
  expect(await ids({})).toEqual(names(1, 30));
});

test('a time range, by the records’ own time: from inclusive, to exclusive', async () => {
  const { ids } = await threeBatches();
  expect(await ids({ fromMs: T0 + HOUR + 50, toMs: T0 + HOUR + 80 })).toEqual(['d-15', 'd-16', 'd-17']);
  expect(await ids({ fromMs: T0 + 2 * HOUR })).toEqual(names(21, 30));
  expect(await ids({ toMs: T0 + HOUR })).toEqual(names(1, 10));
});

test('identity, action, outcome, request id, key id', async () => {
  const bench = createBench();
  const base = recordAt('d-1', T0);
  const other = '0a1b2c3d.CCCCCCCCCCCCCCCCCCCCCC';
  const records = [
    base,
    { ...base, id: 'd-2', identity: other },
    { ...base, id: 'd-3', identity: null, client_address: other },
    { ...base, id: 'd-4', outcome: 'denied' as const, status: 403, code: 'insufficient_scope' as const },
    { ...base, id: 'd-5', request_id: 'r-5', action: 'jobs', key_id: 'secret-previous' },
  ];
  for (const record of records) void bench.outbox.append(JSON.stringify(record));
  bench.now.ms += 10 * MINUTE;
  await bench.archive().run();
  const ids = async (query: Partial<Query>) => {
    const found: string[] = [];
    const parts = { store: bench.store, layout, verifier: bench.parts.verifier };
    for await (const one of searchArchive({ ...all, ...query }, parts))
      if (one.found === 'record') found.push(one.record.id);
    return found;
  };
  expect(await ids({ identities: [other] })).toEqual(['d-2']); // Not where it stands for an address.
  expect(await ids({ identities: [other, base.identity ?? ''] })).toEqual(['d-1', 'd-2', 'd-4', 'd-5']);
  expect(await ids({ outcome: 'denied' })).toEqual(['d-4']);
  expect(await ids({ action: 'jobs' })).toEqual(['d-5']);
  expect(await ids({ requestId: 'r-5' })).toEqual(['d-5']);
  expect(await ids({ keyId: 'secret-previous' })).toEqual(['d-5']);
  expect(await ids({ requestId: 'r-5', outcome: 'denied' })).toEqual([]);
});

test('damage is told and not searched; the rest is', async () => {
  const { ids, objects } = await threeBatches();
  const key = [...objects.keys()].find((name) => name.includes('main-0000000002')) ?? '';
  const bytes = objects.get(key);
  if (bytes !== undefined) bytes[20] = (bytes[20] ?? 0) ^ 1;
  objects.delete(layout.manifest('main', 3));
  expect(await ids({})).toEqual([...names(1, 10), `damage ${key}`]);
});

function archived(changes: Partial<ArchivedRecord> = {}): ArchivedRecord {
  return archivedRecordSchema.parse({ ...recordAt('d-1', T0), stream_id: `${T0}-0`, n: 1, ...changes });
}

test('CSV: quoted where it must be, and no field is a formula', () => {
  expect(csvHeader().split(',')).toHaveLength(21);
  const line = csvLine(archived({ action: '=HYPERLINK("x")', key_id: 'a,b', reason_detail: '-1+1' }));
  expect(line).toContain(`,"'=HYPERLINK(""x"")",`);
  expect(line).toContain(',"a,b",');
  expect(line).toContain(",'-1+1,");
  expect(line).toContain(',heavy:59,');
});

test('a line for people', () => {
  const denied = archived({ outcome: 'denied', status: 403, reason: 'scope_missing', reason_detail: 'evaluate' });
  expect(readableLine(denied)).toMatch(
    /^2026-11-24T10:00:00\.000Z {2}denied {3}403 {2}POST \/v1\/evaluate .* scope_missing \(evaluate\)$/,
  );
});
