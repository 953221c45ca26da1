import { describe, expect, test } from 'vitest';
import type { Appended } from '../../../lib/audit/outbox.ts';
import { createRecorder, type RecorderParts, type RecorderSettings } from '../../../lib/audit/recorder.ts';
import type { AuditRecord } from '../../../lib/audit/schema.ts';
import { recordAt, T0 } from '../archive/fixtures.ts';

const record = recordAt('d-1', T0);

function bench(settings: Partial<RecorderSettings> = {}, parts: Partial<RecorderParts> = {}) {
  const appended: string[] = [];
  const spilled: AuditRecord[] = [];
  const lines: string[] = [];
  const events: string[] = [];
  const deferred: Promise<unknown>[] = [];
  const state = { nowMs: T0, answer: async (): Promise<Appended> => ({ outcome: 'stored', depth: 1 }) };
  const recorder = createRecorder(
    { mode: 'strict', alarmDepth: 1000, outboxRestMs: 1000, ...settings },
    {
      outbox: {
        append(text) {
          appended.push(text);
          return state.answer();
        },
      },
      spill: { put: async (spilledRecord) => void spilled.push(spilledRecord) },
      line: (text) => void lines.push(text),
      stopwatch: () => state.nowMs,
      log: (_, event) => void events.push(event),
      ...parts,
    },
    { stored: 0, spilled: 0, lost: 0, refused: 0 },
  );
  const context = { defer: (promise: Promise<unknown>) => void deferred.push(promise) };
  return { recorder, appended, spilled, lines, events, deferred, state, context };
}
async function unavailable(): Promise<Appended> {
  return { outcome: 'unavailable' };
}
const broken = { put: () => Promise.reject(new Error('no store')) };

describe('strict', () => {
  test('the answer waits for the outbox', async () => {
    const { recorder, context, appended, lines } = bench();
    expect(await recorder.record(record, context)).toBe('recorded');
    expect(appended).toEqual([JSON.stringify(record)]);
    expect(lines).toEqual(appended);
    expect(recorder.counts()).toEqual({ stored: 1, spilled: 0, lost: 0, refused: 0, outboxDepth: 1, full: false });
  });

  test('an outbox without a trip leaves nothing to wait for', () => {
    const { recorder, context } = bench({}, { outbox: { append: () => ({ outcome: 'stored', depth: 1 }) } });
    expect(recorder.record(record, context)).toBeNull();
  });

  test.each([
    ['unavailable', unavailable],
    ['full', async (): Promise<Appended> => ({ outcome: 'full', depth: 9 })],
  ])('when the outbox is %s the record goes straight to object storage, and says so', async (_, answer) => {
    const { recorder, context, spilled, state } = bench();
    state.answer = answer;
    expect(await recorder.record(record, context)).toBe('recorded');
    expect(spilled).toEqual([{ ...record, degraded: ['audit_direct'] }]);
  });

  test.each([[null], [broken]])('when that fails too, or there is none, the request is refused', async (spill) => {
    const { recorder, context, state, events, lines } = bench({}, { spill });
    state.answer = unavailable;
    expect(await recorder.record(record, context)).toBe('unavailable');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { ...record, outcome: 'denied', status: 503, code: 'audit_unavailable', reason: 'audit_unavailable' },
    ]);
    expect(recorder.counts()).toMatchObject({ refused: 1, lost: 0 });
    expect(events).toContain('audit_record_refused');
  });

  test('while the outbox fails, one record a rest tries it and the others do not wait', async () => {
    const { recorder, context, appended, spilled, state, events } = bench();
    state.answer = unavailable;
    await recorder.record(record, context);
    for (let n = 0; n < 5; n++) await recorder.record(record, context);
    expect([appended.length, spilled.length]).toEqual([1, 6]);
    state.nowMs += 1000;
    await Promise.all([recorder.record(record, context), recorder.record(record, context)]);
    expect([appended.length, spilled.length]).toEqual([2, 8]);
    state.answer = async () => ({ outcome: 'stored', depth: 1 });
    state.nowMs += 1000;
    await recorder.record(record, context);
    await recorder.record(record, context);
    expect([appended.length, spilled.length]).toEqual([4, 8]);
    expect(events).toEqual(['audit_outbox_unavailable', 'audit_outbox_recovered']);
  });
});

describe('relaxed', () => {
  test('the answer does not wait; the trip is deferred', async () => {
    const { recorder, context, deferred } = bench({ mode: 'relaxed' });
    expect(recorder.record(record, context)).toBeNull();
    expect(deferred).toHaveLength(1);
    await Promise.all(deferred);
    expect(recorder.counts()).toMatchObject({ stored: 1 });
  });

  test('a loss is counted and logged with the decision’s id, never silent', async () => {
    const { recorder, context, deferred, state, events } = bench({ mode: 'relaxed' }, { spill: broken });
    state.answer = unavailable;
    recorder.record(record, context);
    await Promise.all(deferred);
    expect(recorder.counts()).toMatchObject({ lost: 1, refused: 0 });
    expect(events).toContain('audit_record_lost');
  });
});

test('off: the line is still written, nothing is stored', () => {
  const { recorder, context, lines, appended } = bench({ mode: 'off' });
  expect(recorder.record(record, context)).toBeNull();
  expect([lines.length, appended.length]).toEqual([1, 0]);
});

test('a filling outbox raises one alarm, and again only after it was half empty', async () => {
  const { recorder, context, state, events } = bench({ alarmDepth: 100 });
  for (const depth of [99, 100, 150, 60, 100, 49, 100]) {
    state.answer = async () => ({ outcome: 'stored', depth });
    await recorder.record(record, context);
  }
  expect(events).toEqual(['audit_outbox_filling', 'audit_outbox_filling']);
});

test('strict or relaxed without an outbox is a mistake of the caller', () => {
  expect(() => bench({ mode: 'strict' }, { outbox: null })).toThrow(RangeError);
});
