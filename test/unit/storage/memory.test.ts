import { describe } from 'vitest';
import { createMemoryStore } from '../../../lib/storage/memory.ts';
import { storeContract } from '../../contract/store-suite.ts';

describe('object storage in memory', () => {
  storeContract(async () => ({ store: createMemoryStore(), prefix: 'test' }));
});
