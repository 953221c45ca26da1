import { describe, expect, test } from 'vitest';
import type { Source, Tail } from '../../../lib/audit/outbox.ts';
import { createRecordWindow } from '../../../lib/console/records/window.ts';

/** An outbox whose trips a test lets end, or not. */
function heldOutbox() {
  const trips: { readonly end: () => void; readonly fail: () => void }[] = [];
  const outbox: Tail & Source = {
    follow: () =>
      new Promise((resolve, reject) => {
        trips.push({
          end: () => resolve({ entries: [], lastId: '1-0' }),
          fail: () => reject(new Error('down')),
        });
      }),
    backlog: async () => ({ entries: 0, oldestMs: null }),
    read: async () => [],
    now: async () => 0,
    remove: async () => {},
  };
  return { outbox, trips };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('the window of records', () => {
  test('asks once for several readers', async () => {
    const { outbox, trips } = heldOutbox();
    const window = createRecordWindow(outbox, () => 1_000_000);
    const first = window.refresh();
    expect((await window.refresh()).readAtMs).toBe(null);
    await turn();
    expect(trips).toHaveLength(1);
    trips[0]?.end();
    expect(await first).toMatchObject({ readAtMs: 1_000_000, isAnswering: true });
  });

  test('lets another reader take over from one that never ends', async () => {
    const { outbox, trips } = heldOutbox();
    let nowMs = 1_000_000;
    const window = createRecordWindow(outbox, () => nowMs);
    const stopped = window.refresh();
    await turn();
    nowMs += 10_000;
    const second = window.refresh();
    await turn();
    expect(trips).toHaveLength(2);
    trips[1]?.end();
    expect(await second).toMatchObject({ readAtMs: nowMs, isAnswering: true });
    trips[0]?.fail();
    expect(await stopped).toMatchObject({ readAtMs: nowMs, isAnswering: true });
  });

  test('says that the outbox does not answer, and reads again with the next question', async () => {
    const { outbox, trips } = heldOutbox();
    const window = createRecordWindow(outbox, () => 1_000_000);
    const first = window.refresh();
    await turn();
    trips[0]?.fail();
    expect(await first).toMatchObject({ isAnswering: false, readAtMs: null });
    const second = window.refresh();
    await turn();
    trips[1]?.end();
    expect(await second).toMatchObject({ isAnswering: true });
  });
});
