import { describe, expect, test } from 'vitest';
import { busiest } from '../../../lib/console/identities/busiest.ts';
import { record } from './records.ts';

describe('the busiest callers', () => {
  test('counts requests and denials of each, most first, with what its last budgets had left', () => {
    const budgets = (remaining: number) => [{ name: 'general', remaining }];
    const callers = busiest([
      record({ identity: 'a', ts: '2026-11-27T08:00:00.000Z', budgets: budgets(9) }),
      record({ identity: 'b', request_id: 'of-b' }),
      record({ identity: 'a', ts: '2026-11-27T08:00:01.000Z', outcome: 'denied', request_id: 'last-of-a' }),
    ]);
    expect(callers.map(({ identity, requests, denied }) => [identity, requests, denied])).toEqual([
      ['a', 2, 1],
      ['b', 1, 0],
    ]);
    expect(callers[0]).toMatchObject({ budgets: budgets(9), lastRequestId: 'last-of-a' });
  });

  test('leaves out callers nobody verified, and the operators of the console', () => {
    expect(busiest([record({ identity: null }), record({ identity: 'olga', action: 'console_health' })])).toEqual([]);
  });
});
