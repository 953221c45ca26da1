import { describe } from 'vitest';
import { createMemoryOutbox } from '../../../lib/audit/outbox-memory.ts';
import { outboxContract } from '../../contract/outbox-suite.ts';
import { T0 } from '../archive/fixtures.ts';

describe('the outbox in memory', () => {
  outboxContract(async (maximumEntries) => {
    let nowMs = T0;
    return {
      outbox: createMemoryOutbox({ maximumEntries }, () => nowMs),
      nowMs: () => nowMs,
      async pass(ms) {
        nowMs += ms;
      },
    };
  });
});
