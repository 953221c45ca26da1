import { describe } from 'vitest';
import { createMemoryProofs } from '../../../lib/admit/memory-proofs.ts';
import { createMemoryStore } from '../../../lib/admit/memory-store.ts';
import { createMemoryEvents } from '../../../lib/events/memory-store.ts';
import { createMemoryBudgets } from '../../../lib/limit/memory.ts';
import { createMemoryRevocations } from '../../../lib/revoke/memory.ts';
import {
  budgetsContract,
  proofsContract,
  revocationsContract,
  type StoreUnderTest,
} from '../../contract/admission-suite.ts';
import { type EventsUnderTest, eventsContract } from '../../contract/events-suite.ts';

async function make(): Promise<StoreUnderTest & EventsUnderTest> {
  let nowMs = 1_800_000_000_000;
  const clock = () => nowMs;
  const go = async (ms: number) => {
    nowMs += ms;
  };
  const revocations = createMemoryRevocations(clock);
  return {
    store: createMemoryStore(
      createMemoryBudgets({ maximumBuckets: 1_000 }, clock),
      revocations,
      createMemoryProofs({ maximumProofs: 1_000 }, clock),
    ),
    revocations,
    events: createMemoryEvents(revocations, clock),
    nowMs: clock,
    age: go,
    agesBackwards: false,
    pass: go,
    keptId: (_, id) => id,
  };
}

describe('in memory', () => {
  budgetsContract(make);
  revocationsContract(make);
  proofsContract(make);
  eventsContract(make);
});
