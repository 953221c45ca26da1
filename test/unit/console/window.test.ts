import { describe, expect, test } from 'vitest';
import { summarize } from '../../../lib/console/records/summary.ts';
import { createRecordWindow, WINDOW_MS } from '../../../lib/console/records/window.ts';
import { record } from './records.ts';

const START = Date.parse('2026-11-27T08:00:00.000Z');

function at(ms: number): string {
  return new Date(START + ms).toISOString();
}

/** An outbox of entries, one a millisecond from START on, that can fall silent. */
function outbox(count: number) {
  const entries = Array.from({ length: count }, (_, i) => ({
    id: `${START + i}-0`,
    record: JSON.stringify(record({ ts: at(i), request_id: `r${i}` })),
  }));
  const state = { entries, isSilent: false, trips: 0 };
  const answer = async <T>(value: T): Promise<T> => {
    state.trips++;
    if (state.isSilent) throw new Error('down');
    return value;
  };
  return Object.assign(state, {
    read: async () => [],
    remove: async () => {},
    now: async () => START,
    backlog: () => answer({ entries: state.entries.length, oldestMs: state.entries.length === 0 ? null : START }),
    follow(afterId: string | null, limit: number) {
      const from = Number(afterId?.split('-')[0] ?? 0);
      const page = state.entries.filter(({ id }) => Number(id.split('-')[0]) > from).slice(0, limit);
      return answer({ entries: page, lastId: page.at(-1)?.id ?? afterId ?? '0-0' });
    },
  });
}

describe('the window over the outbox', () => {
  test('reads what is there page by page, and then only what is new', async () => {
    let nowMs = START + 5_000;
    const box = outbox(2_500);
    const window = createRecordWindow(box, () => nowMs);
    expect((await window.refresh()).records).toHaveLength(2_500);
    const before = box.trips;
    box.entries.push({ id: `${START + 9_000}-0`, record: JSON.stringify(record({ ts: at(9_000) })) });
    nowMs = START + 10_000;
    expect((await window.refresh()).records).toHaveLength(2_501);
    expect(box.trips - before).toBe(1);
  });

  test('asks once for several readers at a time', async () => {
    const box = outbox(1);
    const window = createRecordWindow(box, () => START + 10);
    await window.refresh();
    const before = box.trips;
    await Promise.all([window.refresh(), window.refresh()]);
    expect(box.trips).toBe(before);
  });

  test('keeps what it read while the outbox is silent, and says so', async () => {
    let nowMs = START + 10;
    const box = outbox(3);
    const window = createRecordWindow(box, () => nowMs);
    await window.refresh();
    box.isSilent = true;
    nowMs += 1_000;
    expect(await window.refresh()).toMatchObject({ isAnswering: false, readAtMs: START + 10 });
    expect(window.state().records).toHaveLength(3);
  });

  test('drops what is older than the window, and what is no record', async () => {
    let nowMs = START + 10;
    const box = outbox(3);
    box.entries.push({ id: `${START + 5}-0`, record: '{"type":"other"}' }, { id: `${START + 6}-0`, record: 'no JSON' });
    const window = createRecordWindow(box, () => nowMs);
    expect((await window.refresh()).records).toHaveLength(3);
    nowMs = START + WINDOW_MS + 2;
    expect((await window.refresh()).records.map(({ ts }) => ts)).toEqual([at(2)]);
  });
});

describe('the summary of the live screen', () => {
  const denied = { outcome: 'denied', status: 403, code: 'insufficient_scope', reason: 'scope_missing' } as const;
  const state = (records: ReturnType<typeof record>[]) => ({
    records,
    fromMs: START,
    readAtMs: START,
    isAnswering: true,
  });

  test('groups denials by endpoint, code and reason, most first, and counts their callers', () => {
    const summary = summarize(
      state([
        record({ ...denied, ts: at(1), identity: null, client_address: 'x' }),
        record({ ...denied, ts: at(2), request_id: 'last' }),
        record({ ...denied, ts: at(3), pattern: null, code: 'endpoint_unknown' }),
        record({ ts: at(4) }),
        record({ ...denied, ts: at(5), action: 'console_health' }),
      ]),
      START + 60_000,
      60_000,
    );
    expect(summary).toMatchObject({ allowed: 1, denied: 3, groupsLeftOut: 0 });
    expect(
      summary.groups.map(({ endpoint, count, callers, lastRequestId }) => [endpoint, count, callers, lastRequestId]),
    ).toEqual([
      ['GET /v1/jobs/{id}', 2, 2, 'last'],
      ['GET (no row)', 1, 1, 'r1'],
    ]);
  });

  test('puts each record into the slice of its second, and leaves out what is older', () => {
    const { slices, allowed } = summarize(
      state([record({ ts: at(-1) }), record({ ts: at(500) }), record({ ...denied, ts: at(59_999) })]),
      START + 60_000,
      60_000,
    );
    expect(allowed).toBe(1);
    expect([slices[0], slices[59]]).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('shows 40 groups at most, and says how many there are besides', () => {
    const many = Array.from({ length: 45 }, (_, i) => record({ ...denied, ts: at(i), pattern: `/p${i}` }));
    const { groups, groupsLeftOut } = summarize(state(many), START + 60_000, 60_000);
    expect([groups.length, groupsLeftOut]).toEqual([40, 5]);
  });
});
